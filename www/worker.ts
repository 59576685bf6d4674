// The worker: takes commands and trains in turns, in one loop, so that no two calls into the core
// ever overlap. The only file that imports the wasm package.

import type { Config, JsonSchema } from './config/schema';
import { explain, isPanic } from './errors';
import type { Header, Lab, Problem } from './lab';
import init, {
  Lab as CoreLab,
  check,
  checkpoint_header,
  corpus_text,
  default_config,
  schema,
} from './pkg/trainlab.js';
import type { Command, Event } from './protocol';
import { Session } from './session';
import { turn } from './turns';

const inbox: Command[] = [];
let wake: () => void = () => {};

const post = (event: Event): void => self.postMessage(event);

self.addEventListener('message', ({ data }: MessageEvent<Command>) => receive(data));

function receive(command: Command): void {
  // A newer plan replaces one that still waits: a form changes faster than a long text is read.
  const waiting = command.type === 'plan' ? inbox.findIndex((other) => other.type === 'plan') : -1;
  if (waiting >= 0) inbox.splice(waiting, 1);
  inbox.push(command);
  wake();
}

function arrival(): Promise<void> {
  return new Promise((resolve) => {
    wake = resolve;
  });
}

async function main(): Promise<void> {
  try {
    await init();
    post({ type: 'ready', schema: schema() as JsonSchema, defaults: default_config() as Config });
  } catch (error) {
    post({ type: 'crashed', message: `The lab's core did not load: ${explain(error).message}` });
    return;
  }
  const session = new Session(
    {
      open: (device) => CoreLab.open(device) as Promise<unknown> as Promise<Lab>,
      check: (config) => check(config) as Problem[],
      corpusText: (config) => corpus_text(config),
      checkpointHeader: (bytes) => checkpoint_header(bytes) as Header,
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
      post({ type: 'failed', message: explain(error).message });
    }
    await turn();
  }
}

void main();
