// The visitor's own downstream tasks, in the worker: JSON Lines that the core has let through.

import { describe, explain } from '../errors';
import { bytes } from '../format';
import type { Event } from '../protocol';
import { utf8 } from '../text/decode';

const MOST = 16 * 1024 ** 2;

export class OwnTasks {
  /** As JSON Lines; undefined where there are none. */
  text: string | undefined;
  private readonly check: (text: string) => number;
  private readonly post: (event: Event) => void;

  constructor(check: (text: string) => number, post: (event: Event) => void) {
    this.check = check;
    this.post = post;
  }

  /** Takes tasks in place of those before, which stay where these are refused. The next run is asked them. */
  async use(source: Blob, name: string): Promise<void> {
    try {
      if (source.size > MOST) throw new Error(`It has ${bytes(source.size)}; at most ${bytes(MOST)} fit.`);
      const text = utf8(await source.arrayBuffer());
      const items = this.check(text);
      this.text = text;
      this.post({ type: 'own-tasks', facts: { name, items } });
    } catch (error) {
      const { message, problems } = explain(error);
      const why = problems.length > 0 ? problems.map(describe).join(' ') : message;
      this.post({ type: 'own-tasks-refused', name, message: why });
    }
  }
}
