/** So many jobs are on their way over one connection at most: each may take some memory at the taker. */
export const MOST_OFFERS = 128;
