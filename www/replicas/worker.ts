// A worker that makes the gradients of its share of a run's batches: one request after the other.

import { live } from '../alive';
import { load } from '../core';
import { explain } from '../errors';
import type { Alive, Ended, Played, Request } from './messages';

type Core = Awaited<ReturnType<typeof load>>;
type Replica = Awaited<ReturnType<Core['Replica']['make']>>;

const replicas = new Map<number, Replica>();

async function start(): Promise<Core> {
  await live();
  self.postMessage({ alive: true } satisfies Alive);
  const core = await load();
  await core.default();
  return core;
}

async function obey(core: Core, request: Request): Promise<void> {
  const { team } = request;
  switch (request.type) {
    case 'prepare': {
      const { config, vocabulary, first, sequences } = request;
      replicas.set(team, await core.Replica.make(config, vocabulary, first, sequences));
      return;
    }
    case 'play': {
      const replica = replicas.get(team);
      if (!replica) throw new Error('It was asked before it was prepared.');
      const numbers = replica.play(request.order, request.parameters) as Played['numbers'];
      return self.postMessage({ team, numbers } satisfies Played, { transfer: [numbers.buffer] });
    }
    case 'release':
      replicas.get(team)?.free();
      replicas.delete(team);
  }
}

const end = (why: string): void => self.postMessage({ ended: why } satisfies Ended);

// After an error the core's memory may not be trusted, and whoever waits is told.
let line: Promise<Core> = start();
self.addEventListener('message', ({ data }: MessageEvent<Request>) => {
  line = line.then(async (core) => {
    await obey(core, data);
    return core;
  });
  line.catch((error) => end(explain(error).message));
});
self.addEventListener('messageerror', () => end('What it was asked could not be read.'));
