/** The version of this package; `npm test` compares it with package.json. */
export const VERSION = '0.1.0';
