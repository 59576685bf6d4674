// Works through sweeps: one at a time, its runs in order, as many side by side as it says. Nothing begins by itself.
//
// One tab does so. A lock says which: the browser takes it back by itself when that tab goes, and what was under way
// then goes on, when it is asked for, from where it was last saved.

import { signal } from '@preact/signals';
import type { Config } from '../config/schema';
import { setKnown } from '../config/values';
import { describe } from '../errors';
import type { LabWorker } from '../lab-worker';
import { headOf } from '../store/runs';
import { flopsOf } from '../work';
import { Chronicle } from './chronicle';
import { budgetOf } from './definition';
import { Hand, type Outcome } from './hand';
import { isDone, isOver, type Live, type Pace } from './progress';
import { change, changeMember, list, put, sweepOf, sweeps, working, written } from './store';
import type { Budget, Cost, Member, Sweep } from './types';

/** Another tab works on sweeps. */
export const elsewhere = signal(false);
/** The runs that are under way here. */
export const lives = signal<ReadonlyMap<string, Live>>(new Map());
export const pace = signal<Pace>({ flops: 0, seconds: 0 });
/** What keeps runs from beginning: how many steps they have is worked out. */
export const costing = signal<{ done: number; of: number } | null>(null);

const LOCK = 'trainlab sweeps';
/** What is drawn from them need not change a hundred times a second. */
const DRAW_MS = 200;

let wish: 'go' | 'pause' | 'stop' = 'go';
/** Who trains which run. */
const hands = new Map<string, Hand>();
/** Runs that a lane has for itself. */
const taken = new Set<string>();

/** Reads the sweeps. Those that a tab left in the middle stand still until they are gone on with. */
export async function arrive(): Promise<void> {
  await Promise.all([list(), look()]);
  if (elsewhere.value) return;
  for (const { id, state, members } of sweeps.value)
    if (id !== working.value && (state === 'running' || state === 'queued'))
      change(id, {
        state: 'paused',
        message: 'The page went away while it ran.',
        members: standing(members),
      });
}

/** Those that were under way when their tab went. */
const standing = (members: Member[]): Member[] =>
  members.map((member) => (member.state === 'running' ? { ...member, state: 'paused' } : member));

/** Begins, or goes on: at once, or after the sweep that runs, be it in another tab. */
export function go(id: string): void {
  if (working.value === id) return;
  change(id, { state: 'queued', message: null });
  void work();
}

/** What is under way is saved first. */
export function pause(id: string): void {
  if (working.value === id) end('pause');
  else change(id, { state: 'paused' });
}

/** What is under way ends where it is, and what waits is skipped. */
export function stop(id: string): void {
  const members = sweepOf(id)?.members.map((member) =>
    isOver(member) || hands.has(member.run) ? member : { ...member, state: 'skipped' as const },
  );
  if (members) change(id, { members });
  if (working.value === id) end('stop');
  else change(id, { state: 'done' });
}

export function skip(id: string, run: string): void {
  const hand = hands.get(run);
  if (hand) hand.stop();
  else changeMember(id, run, { state: 'skipped', message: null });
}

/** Puts a run that failed or was skipped in line again; it goes on from where it was saved, if it was. */
export function again(id: string, run: string): void {
  const state = headOf(run) ? 'paused' : 'waiting';
  changeMember(id, run, { state, message: null, broken: 0 });
  const sweep = sweepOf(id);
  if (sweep?.state === 'done') change(id, { state: 'paused' });
}

function end(how: 'pause' | 'stop'): void {
  wish = how;
  for (const hand of hands.values()) hand[how]();
}

async function work(): Promise<void> {
  if (working.value !== null) return;
  const { locks } = navigator;
  if (!locks) return all();
  await locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    elsewhere.value = lock === null;
    if (lock) await all();
  });
}

/** Whether another tab works on sweeps. */
export async function look(): Promise<void> {
  if (working.value !== null || !navigator.locks) return;
  const { held } = await navigator.locks.query();
  elsewhere.value = working.value === null && (held ?? []).some(({ name }) => name === LOCK);
}

async function all(): Promise<void> {
  for (let next = firstInLine(); next; next = firstInLine()) {
    working.value = next.id;
    wish = 'go';
    try {
      await through(next);
    } finally {
      working.value = null;
    }
  }
}

const firstInLine = (): Sweep | undefined => sweeps.value.findLast(({ state }) => state === 'queued');

async function through({ id, members, workers }: Sweep): Promise<void> {
  change(id, { state: 'running', message: null, members: standing(members) });
  const timer = setInterval(draw, DRAW_MS);
  const asked = new Lane(id);
  await asked.findCosts();
  start = performance.now();
  trained = 0;
  await Promise.all(
    [asked, ...Array.from({ length: workers - 1 }, () => new Lane(id))].map((lane) => lane.work()),
  );
  clearInterval(timer);
  fresh.clear();
  draw();
  const sweep = sweepOf(id);
  if (sweep) put({ ...sweep, state: isDone(sweep) ? 'done' : 'paused' });
  await written();
}

/** How the runs stand, and what was trained since the sweep was begun: drawn now and then. */
const fresh = new Map<string, Live>();
let start = 0;
let trained = 0;

function draw(): void {
  lives.value = new Map(fresh);
  pace.value = { flops: trained, seconds: (performance.now() - start) / 1000 };
}

const NEW: Live = { readiness: 0, step: 0, flops: 0, tokensPerSecond: null, bitsPerByte: null };

/** One lab after the other: the next is made where one broke down. */
class Lane {
  private readonly sweep: string;
  private hand: Hand | null = null;

  constructor(sweep: string) {
    this.sweep = sweep;
  }

  async work(): Promise<void> {
    for (let member = this.next(); member; member = this.next()) {
      const hand = await this.ready();
      // It may have been skipped meanwhile.
      if (hand && wish === 'go' && !isOver(this.now(member))) {
        const outcome = await this.train(member, hand);
        if (outcome.state === 'broken' || hand.gone) this.drop();
        this.settle(member, outcome);
      }
      taken.delete(member.run);
    }
    this.drop();
  }

  private next(): Member | undefined {
    if (wish !== 'go') return undefined;
    const member = sweepOf(this.sweep)?.members.find(
      ({ run, state }) => !taken.has(run) && (state === 'waiting' || state === 'paused'),
    );
    if (member) taken.add(member.run);
    return member;
  }

  /** Null where the device cannot be opened: then no run can go on. */
  private async ready(): Promise<Hand | null> {
    const sweep = sweepOf(this.sweep);
    if (!sweep) return null;
    this.hand ??= new Hand(sweep.device, sweep.brought);
    try {
      await this.hand.opened;
      return this.hand;
    } catch (error) {
      this.drop();
      change(this.sweep, { message: `The device could not be opened. ${(error as Error).message}` });
      end('pause');
      return null;
    }
  }

  private drop(): void {
    this.hand?.end();
    this.hand = null;
  }

  private async train(member: Member, hand: Hand): Promise<Outcome> {
    const { run, name, config } = member;
    hands.set(run, hand);
    // What broke down stays known until it has come further.
    changeMember(this.sweep, run, { state: 'running', ...(member.broken === 0 && { message: null }) });
    const tell = (news: Partial<Live>) => {
      const live = { ...(fresh.get(run) ?? NEW), ...news };
      // Not what it had when it went on, nor what is done a second time.
      if (news.step !== undefined && news.tokensPerSecond !== null)
        trained += Math.max(live.flops - (fresh.get(run)?.flops ?? live.flops), 0);
      fresh.set(run, live);
    };
    tell({});
    const about = { id: run, name: `${sweepOf(this.sweep)?.name}: ${name}`, sweep: this.sweep };
    const chronicle = await Chronicle.open(about, tell, ({ plan, config }) => {
      const steps = Number(config.training?.steps);
      const cost = { steps, flops: flopsOf(plan, steps) };
      if (!member.cost) changeMember(this.sweep, run, { cost });
    });
    const outcome = await hand.train({ run, config, goOn: member.state === 'paused' }, chronicle.hear);
    await chronicle.close(outcome);
    hands.delete(run);
    fresh.delete(run);
    return outcome;
  }

  private settle(member: Member, { state, message }: Outcome): void {
    const { run, broken } = this.now(member);
    if (state === 'broken')
      changeMember(this.sweep, run, { state: broken > 0 ? 'failed' : 'paused', message, broken: broken + 1 });
    else changeMember(this.sweep, run, { state: state === 'stopped' ? 'skipped' : state, message });
  }

  private now(member: Member): Member {
    return sweepOf(this.sweep)?.members.find(({ run }) => run === member.run) ?? member;
  }

  /** Where a budget gives the steps: of all runs before the first one begins, with nothing beside it to slow it down. */
  async findCosts(): Promise<void> {
    const sweep = sweepOf(this.sweep);
    const budget = sweep && budgetOf(sweep.definition);
    const open = sweep?.members.filter((member) => !member.cost && !isOver(member)) ?? [];
    if (!sweep || !budget || open.length === 0) return;
    const groups = new Map<string, Member[]>();
    for (const member of open) {
      const group = groupOf(member.config, budget);
      groups.set(group, [...(groups.get(group) ?? []), member]);
    }
    let done = 0;
    for (const members of groups.values()) {
      costing.value = { done, of: groups.size };
      const hand = wish === 'go' && (await this.ready());
      const [first] = members;
      if (!hand || !first) break;
      // Runs that differ in their seed alone have the same number of steps, those that were worked out before too.
      const group = groupOf(first.config, budget);
      const known = sweep.members.find(({ cost, config }) => cost && groupOf(config, budget) === group);
      const told = known?.cost ?? (await cost(hand.lab, first.config, budget));
      for (const { run, config } of members) {
        if (typeof told === 'string') changeMember(this.sweep, run, { state: 'failed', message: told });
        else changeMember(this.sweep, run, withCost(config, told));
      }
      if (typeof told === 'string') this.drop();
      done += 1;
    }
    costing.value = null;
  }
}

/** What decides what a run takes: all but the seed, and the steps where a budget gives them. */
export function groupOf(config: Config, budget: Budget | null): string {
  const seedless = setKnown(config, 'training.seed', null);
  return JSON.stringify(budget ? setKnown(seedless, 'training.steps', null) : seedless);
}

export const withCost = (config: Config, cost: Cost): Pick<Member, 'config' | 'cost'> => ({
  config: setKnown(config, 'training.steps', cost.steps),
  cost,
});

/** Or why there is none. */
export async function cost(lab: LabWorker, config: Config, budget: Budget | null): Promise<Cost | string> {
  try {
    const { cost, problems, message } = await lab.ask<'cost'>({ type: 'cost', config, budget });
    return cost ?? message ?? problems.map((problem) => `${problem.field}: ${describe(problem)}`).join(' ');
  } catch (error) {
    return (error as Error).message;
  }
}

// A tab that is hidden may be closed without another word.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) for (const hand of hands.values()) hand.keep();
  else void look();
});
