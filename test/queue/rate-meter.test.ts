import { describe, expect, it } from 'vitest';
import { RateMeter } from '../../src/queue/rate-meter.ts';

const jobs = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => ({ id: String(from + at) }));

describe('the rate', () => {
  it('is not known after one look, nor of a moment', () => {
    const meter = new RateMeter();
    expect(meter.rate(10_000)).toBeUndefined();
    meter.look(0, jobs(0, 10));
    meter.look(500, jobs(5, 10));
    expect(meter.rate(10_000)).toBeUndefined();
  });

  it('counts what is not there any more, whatever came', () => {
    const meter = new RateMeter();
    meter.look(0, jobs(0, 10));
    meter.look(2000, jobs(4, 30));
    expect(meter.rate(10_000)).toBe(2);
  });

  it('is that of its span, not of what was before', () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 30; second++) {
      const over = Math.min(second * 10, 200);
      meter.look(second * 1000, jobs(over, 1000));
    }
    expect(meter.rate(10_000)).toBe(0);
    expect(meter.rate(20_000)).toBe(5);
    expect(meter.rate(60_000)).toBeCloseTo(200 / 30);
  });

  it('forgets what is older than a minute', () => {
    const meter = new RateMeter();
    meter.look(0, jobs(0, 500));
    for (let second = 1; second <= 200; second++) meter.look(second * 1000, jobs(500, 501));
    expect(meter.rate(60_000)).toBe(0);
  });
});
