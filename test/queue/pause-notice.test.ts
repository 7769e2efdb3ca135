import { describe, expect, it } from 'vitest';
import { PauseNotice } from '../../src/queue/pause-notice.ts';

function ground() {
  const queue = { nowMs: 0, paused: false, asked: 0, fails: false };
  const notice = new PauseNotice({ clock: { monotonicMs: () => queue.nowMs } }, async () => {
    queue.asked += 1;
    if (queue.fails) throw new Error('no answer');
    return queue.paused;
  });
  return { queue, notice };
}

describe('whether a queue is paused', () => {
  it('is asked at first, and then not more often than each 50 ms', async () => {
    const { queue, notice } = ground();
    expect(notice.wasPaused).toBe(false);
    for (; queue.nowMs < 150; queue.nowMs += 10) await notice.isPaused();
    expect(queue.asked).toBe(3);
  });

  it('is noticed when that time is over, and not forgotten', async () => {
    const { queue, notice } = ground();
    expect(await notice.isPaused()).toBe(false);
    queue.paused = true;
    queue.nowMs = 49;
    expect(await notice.isPaused()).toBe(false);
    queue.nowMs = 50;
    expect(await notice.isPaused()).toBe(true);
    expect(notice.wasPaused).toBe(true);
  });

  it('is asked again at once when there was no answer', async () => {
    const { queue, notice } = ground();
    queue.fails = true;
    await expect(notice.isPaused()).rejects.toThrow('no answer');
    queue.fails = false;
    queue.paused = true;
    expect(await notice.isPaused()).toBe(true);
  });
});
