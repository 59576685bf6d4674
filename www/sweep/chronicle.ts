// Writes down what a lab tells of one run of a sweep, as a run like any other, and says how far it is.

import type { Event } from '../protocol';
import { RunRecord } from '../record';
import { notKept } from '../state';
import { Recording } from '../store/recording';
import { loadRun } from '../store/runs';
import type { RunState, StoredRun } from '../store/types';
import { kept } from '../store/weights';
import { flopsOf } from '../work';
import type { Outcome } from './hand';
import type { Live } from './progress';

type About = { id: string; name: string; sweep: string };

export class Chronicle {
  private readonly about: About;
  private readonly tell: (live: Partial<Live>) => void;
  private readonly begun: (event: Event & { type: 'started' }) => void;
  /** What it told before this visit, or before its lab broke down. */
  private readonly earlier: StoredRun | null;
  private record: RunRecord | null = null;
  private recording: Recording | null = null;

  private constructor(
    about: About,
    earlier: StoredRun | null,
    tell: (live: Partial<Live>) => void,
    begun: (event: Event & { type: 'started' }) => void,
  ) {
    this.about = about;
    this.earlier = earlier;
    this.tell = tell;
    this.begun = begun;
  }

  /** `begun` is told when the run begins, or begins again. */
  static async open(
    about: About,
    tell: (live: Partial<Live>) => void,
    begun: (event: Event & { type: 'started' }) => void,
  ): Promise<Chronicle> {
    return new Chronicle(about, await loadRun(about.id).catch(() => null), tell, begun);
  }

  readonly hear = (event: Event): void => {
    switch (event.type) {
      case 'tokenizing':
        this.tell({ readiness: event.share ?? 0 });
        break;
      case 'starting':
        this.tell({ readiness: event.share });
        break;
      case 'started':
        this.begin(event);
        break;
      case 'metrics':
        for (const metric of event.metrics) this.record?.train.push(metric);
        this.measure();
        break;
      case 'evaluation':
        this.record?.addEvaluation(event.evaluation, event.positions);
        this.tell({ bitsPerByte: event.evaluation.bits_per_byte });
        this.recording?.grow();
        break;
      case 'scores':
        this.record?.addScores(event.scores);
        this.recording?.grow();
        break;
      case 'examples':
        this.record?.setExamples(event.examples);
        this.recording?.grow();
        break;
      case 'kept':
        // A run that goes on from there needs the points up to there.
        void this.recording?.flush().then(() => kept(event));
        break;
      case 'not-kept':
        notKept.value = event.message;
        break;
    }
  };

  private begin(event: Event & { type: 'started' }): void {
    const { config, plan, device, from } = event;
    const record = new RunRecord(config, plan, device, from ?? 0);
    const before = this.record ?? (this.earlier && RunRecord.of(this.earlier));
    if (from !== null && before) record.takeUp(before);
    this.record = record;
    if (this.recording) this.recording.retake(record);
    else this.recording = new Recording({ ...this.about, state: 'running' }, record);
    const bitsPerByte = record.validation.last()?.bits_per_byte ?? null;
    const flops = flopsOf(plan, record.step);
    this.tell({ readiness: null, step: record.step, flops, tokensPerSecond: null, bitsPerByte });
    this.begun(event);
  }

  private measure(): void {
    const last = this.record?.train.last();
    if (!last) return;
    this.tell({
      readiness: null,
      step: last.step,
      flops: last.flops,
      tokensPerSecond: last.tokens_per_second,
    });
    this.recording?.grow();
  }

  /** Resolves once all of it is written, or cannot be. */
  async close({ state, message }: Outcome): Promise<void> {
    const stored: RunState = state === 'broken' ? 'interrupted' : state;
    this.recording?.become(stored, message);
    await this.recording?.close();
  }
}
