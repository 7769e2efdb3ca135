/** What every port is made of. */

/** One call to the machine. */
export type Step<T> = T | Promise<T>;

/** An open file descriptor. */
export type Descriptor = number & { readonly __descriptor: unique symbol };

/** Standard input, output and error of this process. */
export const STDIN = 0 as Descriptor;
export const STDOUT = 1 as Descriptor;
export const STDERR = 2 as Descriptor;
