/**
 * What changes something: forms of our own pages, each with the code of the browser's cookie, each written down.
 *
 *     headers: host, token, origin --> cookie --> form: its code --> queue, job --> written down: done --> 303 to a page
 *                    |                   |             |                |                     |
 *                   403                 403           403              404                   409, with a sentence
 *
 * Nothing of a body is read before its cookie is known to be there, and no file before the code is.
 */

import { openQueue } from '../../open/open.ts';
import { type HttpRequest, type HttpResponse, isSystemError, type Machine } from '../../os/ports.ts';
import type { NewJob } from '../../queue/contract.ts';
import { QueueError, reasonOf } from '../../queue/errors.ts';
import type { FoundJob } from '../../queue/snapshot.ts';
import { actOnJob, retryFailed } from '../act.ts';
import { type JobAction, jobActionNamed, MOST_RETRIED, USUALLY_RETRIED } from '../actions.ts';
import { fieldsWithoutPlace } from '../pages/actions.ts';
import type { Seen, ServedLinks } from '../seen.ts';
import { type Audit, type Ending, newAudit } from './audit.ts';
import { type BodyLimits, readForm } from './body.ts';
import type { Looks } from './looks.ts';
import { BadBody, type Form } from './multipart.ts';
import { notFound, refusalReply, seeOther } from './reply.ts';
import { nameOf } from './segment.ts';
import { CODE_FIELD, type Sessions } from './session.ts';

export type PostSettings = {
  /** Where it is written down who has changed what; undefined: on standard error. */
  readonly audit: string | undefined;
  /** The longest file that may be uploaded. */
  readonly fileBytes: number;
};

/** What was done, and the page that shows it. */
type Done = { readonly ending: Ending; readonly next: string };

const IDLE_MS = 10_000;

export class Posts {
  readonly #machine: Machine;
  readonly #looks: Looks;
  readonly #links: ServedLinks;
  readonly #sessions: Sessions;
  readonly #audit: Audit;
  readonly #limits: BodyLimits;

  constructor(
    machine: Machine,
    looks: Looks,
    links: ServedLinks,
    sessions: Sessions,
    { audit, fileBytes }: PostSettings,
  ) {
    this.#machine = machine;
    this.#looks = looks;
    this.#links = links;
    this.#sessions = sessions;
    this.#audit = newAudit(machine, audit);
    this.#limits = { fileBytes, idleMs: IDLE_MS };
  }

  async answer(request: HttpRequest): Promise<HttpResponse> {
    try {
      return await this.#route(request);
    } catch (error) {
      const bad = badBodyIn(error);
      if (bad !== undefined) return refusalReply(bad.status, `The form cannot be used: ${bad.message}.`);
      if (error instanceof QueueError) return refusalReply(409, `${error.message}. ${error.hint}`);
      if (isSystemError(error)) return refusalReply(409, `${error.path ?? ''}: ${reasonOf(error)}`);
      throw error;
    }
  }

  async #route(request: HttpRequest): Promise<HttpResponse> {
    const [, slug = '', segment, verb = ''] =
      /^\/queues\/([\w-]+)(?:\/jobs\/([^/?]+))?\/([a-z-]+)$/.exec(request.path) ?? [];
    const refuse = async (message: string) => {
      const id = segment === undefined ? undefined : nameOf(segment);
      const deed = { action: verb, queue: slug, job: id };
      await this.#audit.around(request, deed, async () => ({ ending: { result: 'refused', message } }));
      return refusalReply(403, `${message} Load the page again, and try it from there.`);
    };
    if (!this.#sessions.hasCookie(request)) return refuse('The browser has no cookie of ours.');
    const form = await readForm(this.#machine.clock, request, this.#limits);
    if (!(await this.#sessions.isOurs(request, form.fields.get(CODE_FIELD)))) {
      return refuse('The form is not from a page that this browser has loaded.');
    }
    // What somebody wants changed is as it is now, not as it was when he loaded the page.
    const look = await this.#looks.renewed();
    const queue = look.queues.find((one) => one.slug === slug);
    if (queue?.kind !== 'seen') return notFound('There is no such queue.');
    const done =
      segment === undefined
        ? await this.#onQueue(request, queue, verb, form)
        : await this.#onJob(request, queue, segment, verb);
    if (done === undefined)
      return notFound('There is no such job any more, or nothing of that name can be done.');
    await this.#looks.renewed();
    return seeOther(done.next);
  }

  async #onJob(request: HttpRequest, queue: Seen, segment: string, verb: string): Promise<Done | undefined> {
    const { slug, location, keeper, snapshot } = queue;
    const id = nameOf(segment);
    const job = (await keeper.everyJob(snapshot)).find((one) => one.id === id);
    const action = jobActionNamed(verb);
    if (job === undefined || action === undefined) return undefined;
    return this.#audit.around(request, { action: verb, queue: location, job: job.id }, async () => {
      const result = await actOnJob(keeper, job, action);
      return { ending: { result }, next: this.#after(slug, job, action, result) };
    });
  }

  #after(slug: string, { id }: FoundJob, { name }: JobAction, result: 'done' | 'unchanged'): string {
    if (name === 'delete') return `${this.#links.queue(slug)}?said=deleted`;
    return `${this.#links.job(slug, id)}?said=${result === 'done' ? name : result}`;
  }

  async #onQueue(request: HttpRequest, queue: Seen, verb: string, form: Form): Promise<Done | undefined> {
    const { slug, location, keeper } = queue;
    const here = this.#links.queue(slug);
    const deeds: Record<string, () => Promise<Done>> = {
      pause: async () => {
        const result = (await keeper.isPaused()) ? 'unchanged' : 'done';
        await keeper.pause();
        return { ending: { result }, next: `${here}?said=paused` };
      },
      resume: async () => {
        const result = (await keeper.resume()) ? 'done' : 'unchanged';
        return { ending: { result }, next: `${here}?said=resumed` };
      },
      'retry-failed': async () => {
        const { done, refused, why } = await retryFailed(keeper, limitIn(form));
        const message = `${done} to be run again, ${refused} not${why === undefined ? '' : `: ${why}`}`;
        return {
          ending: { result: 'done', message },
          next: `${here}?said=retried&done=${done}&refused=${refused}`,
        };
      },
      add: async () => this.#add(queue, form),
    };
    const deed = Object.hasOwn(deeds, verb) ? deeds[verb] : undefined;
    if (deed === undefined) return undefined;
    return this.#audit.around(request, { action: verb, queue: location, job: undefined }, deed);
  }

  async #add(queue: Seen, { fields, file }: Form): Promise<Done> {
    const homeless = fieldsWithoutPlace(queue, fields);
    if (homeless.length > 0) {
      const sentence = `${queue.location}: it has no place for ${homeless.join(', ')}; nothing was added`;
      throw new QueueError('not-possible', sentence);
    }
    const target = await openQueue(this.#machine, queue.location);
    const { id, duplicate } = await target.add({ ...termsIn(fields), payload: file ?? '' });
    return {
      ending: { result: duplicate ? 'unchanged' : 'done', message: id },
      next: `${this.#links.job(queue.slug, id)}?said=${duplicate ? 'duplicate' : 'added'}`,
    };
  }
}

function termsIn(fields: ReadonlyMap<string, string>): NewJob {
  const word = (name: string) => fields.get(name)?.trim() || undefined;
  const [lane, name, priority] = [word('lane'), word('name'), word('priority')];
  if (priority !== undefined && !/^\d{1,2}$/.test(priority))
    throw new BadBody('a priority is a number from 0 to 99');
  const params = (fields.get('params') ?? '').split(/\r?\n/).filter((param) => param !== '');
  return {
    params,
    ...(lane === undefined ? {} : { lane }),
    ...(name === undefined ? {} : { name }),
    ...(priority === undefined ? {} : { priority: Number(priority) }),
  };
}

function limitIn({ fields }: Form): number {
  const text = fields.get('limit') ?? String(USUALLY_RETRIED);
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MOST_RETRIED) throw new BadBody(`a limit is a number from 1 to ${MOST_RETRIED}`);
  return limit;
}

/** Whoever writes a payload that breaks off says so in his own words first. */
function badBodyIn(error: unknown): BadBody | undefined {
  if (error instanceof BadBody) return error;
  return error instanceof Error && error.cause !== undefined ? badBodyIn(error.cause) : undefined;
}
