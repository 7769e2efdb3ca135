/** Words that fit one by one, but not together. */
export class UsageProblem extends Error {
  override readonly name = 'UsageProblem';
}
