/** One act after the other, however many are asked for at once. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Begins when all that were asked for before are over, well or not. */
  next<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(act);
    this.#last = turn.catch(() => {}); // told to whoever called
    return turn;
  }

  /** When all that were asked for are over. */
  async over(): Promise<void> {
    await this.#last;
  }
}
