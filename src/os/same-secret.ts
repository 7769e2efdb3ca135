/** Whether two secrets are one, in a time that does not tell how much of what was given is right. */
export function isSameSecret(given: string, secret: string): boolean {
  let differences = given.length ^ secret.length;
  for (let at = 0; at < given.length; at++) {
    differences |= given.charCodeAt(at) ^ secret.charCodeAt(at % Math.max(1, secret.length));
  }
  return differences === 0;
}
