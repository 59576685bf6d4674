// Measures what a longer context costs. Lives in the worker, beside a run that is paused or over.

import type { Opener } from '../../device/opener';
import { explain, passOn } from '../../errors';
import type { Event } from '../../protocol';
import type { Runs } from '../../runs';
import type { Line } from '../../session';
import { turn } from '../../turns';
import type { Asked, Experiment, Published, Told } from './types';

export type LengthsCore = { lesson(): Experiment; published(): Published[] };

export class Pricer {
  private readonly core: LengthsCore;
  private readonly opener: Opener;
  private readonly runs: Runs;
  private readonly line: Line;
  private readonly post: (event: Event) => void;

  constructor(core: LengthsCore, opener: Opener, runs: Runs, line: Line, post: (event: Event) => void) {
    this.core = core;
    this.opener = opener;
    this.runs = runs;
    this.line = line;
    this.post = post;
  }

  async handle(asked: Asked): Promise<void> {
    if (asked.what === 'lesson')
      return this.tell({
        what: 'lesson',
        experiment: this.core.lesson(),
        published: this.core.published(),
      });
    // To be asked anything ends a measurement.
    if (asked.what === 'end') return;
    const refuse = (error: unknown) => {
      const { message, problems } = explain(error);
      const said = problems.map(({ field, value, allowed }) => `${field} is ${value}; allowed: ${allowed}.`);
      this.tell({ what: 'ended', message: said.join(' ') || message });
    };
    return this.runs.alone(() => this.measure(asked.experiment), refuse);
  }

  private tell(told: Told): void {
    this.post({ type: 'length-cost', told });
  }

  private async measure(experiment: Experiment): Promise<void> {
    const lab = this.opener.needed();
    let ended = false;
    try {
      const found = await lab.measure_lengths(experiment, async (share, cell) => {
        this.tell({ what: 'progress', share, cell });
        await turn();
        ended = !this.line.empty;
        return !ended;
      });
      this.tell({ what: 'measured', measured: { ...found, experiment, device: lab.device() } });
    } catch (error) {
      passOn(error);
      if (!ended) throw error;
      this.tell({ what: 'ended', message: null });
    }
    this.opener.tellTilings();
  }
}
