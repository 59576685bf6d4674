// A run of this tab while it is written down: its record is in memory, and all but the last second of it in the database.

import { signal } from '@preact/signals';
import type { RunRecord } from '../record';
import { inWords, isFull, trouble } from './database';
import { hold } from './owners';
import { SERIES, type Tables } from './points';
import { headOf, headOfRun, openRuns, show, storedRuns, unique, write } from './runs';
import type { Findings, RunState, StoredRun } from './types';
import { makeRoom } from './weights';

/** How old may be what is not yet written. A timer of a hidden tab may be a second late. */
const SAVE_MS = 500;
/** In bytes: more than is ever written at once. */
const ROOM = 8 * 1024 ** 2;
/** Before what could not be written is tried again. */
const AGAIN_MS = 10_000;

const LIVE: RunState[] = ['running', 'paused'];

export type About = { id: string; name: string; sweep: string | null; state: RunState };

/** Runs that could not be written so far, by id: gone with the page, unless they are taken away as a file. */
export const unsaved = signal<ReadonlySet<string>>(new Set());

export class Recording {
  readonly id: string;
  private readonly about: Omit<About, 'id' | 'state'>;
  private readonly created: number;
  private record: RunRecord;
  private state: RunState;
  private message: string | null = null;
  /** Rows that are in the database as they are here. */
  private readonly written = { train: 0, validation: 0 };
  /** The record whose findings are in the database, and how far. */
  private filed: { record: RunRecord; found: number } | null = null;
  private readonly release: () => void;
  private closed = false;
  private abandoned = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** When the oldest point came that is not written. */
  private since: number | null = null;
  private writing: Promise<void> = Promise.resolve();
  private next: Promise<void> | null = null;

  /** Where a run of this id is in the list it is gone on with: its name, its sweep and when it began stay. */
  constructor({ id, name, sweep, state }: About, record: RunRecord) {
    const known = headOf(id);
    this.id = id;
    this.about = known ?? { sweep, name: unique(name, names()) };
    this.created = known?.created ?? Date.now();
    this.record = record;
    this.state = state;
    this.release = hold(id);
    openRuns.set(id, this);
    this.mark(true);
    void this.flush();
  }

  get live(): boolean {
    return LIVE.includes(this.state);
  }

  get tables(): Tables {
    return { train: this.record.train.table(), validation: this.record.validation.table() };
  }

  get findings(): Findings {
    return this.record.findings;
  }

  /** The same run, in another record: taken back to an earlier step, maybe. */
  retake(record: RunRecord): void {
    this.record = record;
    for (const series of SERIES) this.written[series] = Math.min(this.written[series], record[series].length);
    this.grow();
  }

  /** The record has news. */
  grow(): void {
    const now = performance.now();
    this.since ??= now;
    // Timers of a hidden tab may be late by a minute; news are not.
    if (now - this.since >= SAVE_MS) void this.flush();
    else this.timer ??= setTimeout(() => void this.flush(), SAVE_MS);
  }

  become(state: RunState, message: string | null = null): void {
    this.state = state;
    this.message = message;
    void this.flush();
  }

  /** It is looked at no longer: another tab may have it. Resolves once all of it is written, or cannot be. */
  async close(): Promise<void> {
    this.closed = true;
    await this.flush();
    this.release();
  }

  /** It is to be deleted: nothing more is written. */
  async abandon(): Promise<void> {
    this.abandoned = true;
    clearTimeout(this.timer);
    await this.writing;
    openRuns.delete(this.id);
    this.mark(false);
    this.release();
  }

  /** Writes what is not yet written. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.since = null;
    this.next ??= this.writing.then(() => {
      this.next = null;
      this.writing = this.write();
      return this.writing;
    });
    return this.next;
  }

  private async write(): Promise<void> {
    if (this.abandoned) return;
    const { record, tables } = this;
    const from = { train: 0, validation: 0 };
    // The last row may have been replaced by one of the same step.
    for (const series of SERIES) from[series] = Math.max(this.written[series] - 1, 0);
    const lengths = { train: record.train.length, validation: record.validation.length };
    const { id, created, state, message } = this;
    const { config, plan, device, findings, found } = record;
    const news = this.filed?.record !== record || this.filed.found !== found;
    const scores = [...record.scores];
    const run: StoredRun = {
      id,
      ...this.named(),
      created,
      config,
      plan,
      device,
      state,
      message,
      scores,
      findings,
      ...tables,
    };
    const head = headOfRun(run, headOf(id)?.weights);
    show(head);
    try {
      show(await write(head, tables, news ? findings : null, from));
      if (news) this.filed = { record, found };
      for (const series of SERIES)
        this.written[series] = Math.min(
          lengths[series],
          this.record === record ? lengths[series] : this.written[series],
        );
      this.mark(false);
      if (this.closed) openRuns.delete(id);
    } catch (error) {
      this.mark(true);
      if (isFull(error) && (await makeRoom(ROOM))) return void this.flush();
      trouble.value = inWords(error);
      this.timer ??= setTimeout(() => void this.flush(), AGAIN_MS);
    }
  }

  /** As the visitor named it meanwhile. */
  private named(): { name: string; sweep: string | null } {
    const { name, sweep } = headOf(this.id) ?? this.about;
    return { name, sweep };
  }

  private mark(lost: boolean): void {
    if (unsaved.value.has(this.id) === lost) return;
    const ids = new Set(unsaved.value);
    if (lost) ids.add(this.id);
    else ids.delete(this.id);
    unsaved.value = ids;
  }
}

const names = (): string[] => storedRuns.value.map(({ name }) => name);
