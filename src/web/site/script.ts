/**
 * What a browser runs, and all that it runs: when there is news, it asks for the page again that it shows and puts the new
 * part in the place of the old one. Without it the pages are the same, and are asked for by hand.
 *
 * What somebody does meanwhile stays: the focus, how far a box is scrolled, and a text that is being selected, for which
 * the news wait.
 */

export const SCRIPT = `'use strict';
(() => {
  const REACHED = '#live a, #live button, #live [tabindex]';
  const state = document.getElementById('live-state');
  let wanted = false;
  let busy = false;
  const say = (words) => { if (state.textContent !== words) state.textContent = words; };
  const selecting = () => {
    const selection = getSelection();
    const live = document.getElementById('live');
    return selection !== null && !selection.isCollapsed && live.contains(selection.anchorNode);
  };
  const boxes = (root) => [...root.querySelectorAll('.wide, .log, .payload')];
  const placeOf = (element) => {
    const all = [...document.querySelectorAll(REACHED)];
    return { index: all.indexOf(element), href: element.getAttribute('href') };
  };
  const focusAgain = ({ index, href }) => {
    const all = [...document.querySelectorAll(REACHED)];
    const same = href === null ? undefined : all.find((one) => one.getAttribute('href') === href);
    (same ?? all[index])?.focus({ preventScroll: true });
  };
  const replace = (text) => {
    const fresh = new DOMParser().parseFromString(text, 'text/html');
    const old = document.getElementById('live');
    const next = fresh.getElementById('live');
    if (next === null) return;
    const active = old.contains(document.activeElement) ? placeOf(document.activeElement) : undefined;
    const scrolled = boxes(old).map((box) => [box.scrollLeft, box.scrollTop]);
    old.replaceWith(document.adoptNode(next));
    boxes(next).forEach((box, index) => { [box.scrollLeft, box.scrollTop] = scrolled[index] ?? [0, 0]; });
    if (active !== undefined) focusAgain(active);
    document.title = fresh.title;
  };
  const refresh = async () => {
    if (busy || !wanted || document.hidden || selecting()) return;
    busy = true;
    wanted = false;
    try {
      const answer = await fetch(location.href, { cache: 'no-store' });
      if (answer.status === 404) say('It is gone: this is how it was last.');
      else if (answer.ok) replace(await answer.text());
    } catch {
      say('The server does not answer: this is how it was last.');
    }
    busy = false;
    refresh();
  };
  const news = new EventSource(document.currentScript.dataset.events);
  news.addEventListener('open', () => say('Live: the page follows the queues.'));
  news.addEventListener('error', () => say('The server does not answer: this is how it was last.'));
  news.addEventListener('news', () => { wanted = true; refresh(); });
  document.addEventListener('visibilitychange', refresh);
  document.addEventListener('selectionchange', refresh);
})();
`;
