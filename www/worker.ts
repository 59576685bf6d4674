// The worker: takes commands and trains in turns, in one loop, so that no two calls into the core
// ever overlap.

import { live } from './alive';
import type { Config, JsonSchema } from './config/schema';
import { load } from './core';
import { explain, isPanic } from './errors';
import type { Header, Lab, Problem, Question, Verdict } from './lab';
import type { Experiment, Published } from './length/cost/types';
import type { Command, Event } from './protocol';
import { Session, type Turn } from './session';
import type { Definition, Listed } from './sweep/types';
import { turn } from './turns';

const inbox: Turn[] = [];
let wake: () => void = () => {};

const post = (event: Event): void => self.postMessage(event);

self.addEventListener('message', ({ data }: MessageEvent<Command>) => receive(data));

function receive(command: Turn): void {
  // A newer plan replaces one that still waits: a form changes faster than a long text is read.
  const waiting = isPlan(command) ? inbox.findIndex(isPlan) : -1;
  if (waiting >= 0) inbox.splice(waiting, 1);
  inbox.push(command);
  wake();
}

const isPlan = (turn: Turn): boolean => typeof turn !== 'function' && turn.type === 'plan';

function arrival(): Promise<void> {
  return new Promise((resolve) => {
    wake = resolve;
  });
}

async function main(): Promise<void> {
  await live();
  let core: Awaited<ReturnType<typeof load>>;
  try {
    core = await load();
    await core.default();
    post({ type: 'ready', schema: core.schema() as JsonSchema, defaults: core.default_config() as Config });
  } catch (error) {
    post({ type: 'crashed', message: `The lab's core did not load: ${explain(error).message}` });
    return;
  }
  const session = new Session(
    {
      open: (device) => core.Lab.open(device) as Promise<unknown> as Promise<Lab>,
      check: (config) => core.check(config) as Problem[],
      corpusText: (config) => core.corpus_text(config),
      checkTasks: (text) => core.check_tasks(text),
      checkpointHeader: (bytes) => core.checkpoint_header(bytes) as Header,
      checkpointTokenizer: (bytes) => core.checkpoint_tokenizer(bytes),
      sweep: {
        parse: (definition) => core.sweep_parse(definition) as Definition,
        runs: (definition) => core.sweep_runs(definition) as Listed[],
      },
      lengths: {
        lesson: () => core.length_lesson() as Experiment,
        published: () => core.published_throughput() as Published[],
      },
      compare: (question: Question) => core.compare(question) as Verdict,
    },
    post,
    {
      add: receive,
      get empty() {
        return inbox.length === 0;
      },
    },
  );
  for (;;) {
    const command = inbox.shift();
    try {
      if (command) await session.handle(command);
      else if (session.busy) await session.turn();
      else await arrival();
    } catch (error) {
      // After a panic the core's memory cannot be trusted.
      if (isPanic(error)) {
        post({ type: 'crashed', message: `The lab's core stopped working: ${explain(error).message}` });
        return;
      }
      post({ type: 'failed', message: explain(error).message, diverged: false });
    }
    await turn();
  }
}

void main();
