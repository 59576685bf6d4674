// What the visitor can do with runs that are stored.

import { signal } from '@preact/signals';
import { dashed, save } from '../charts/save';
import { goOn as trainOn } from '../checkpoint/actions';
import { current, weightsName } from '../checkpoint/store';
import { adopt } from '../config/edit';
import { explain } from '../errors';
import { RunRecord } from '../record';
import { can } from '../run/actions';
import { go } from '../shell/views';
import { live, past, phase, present, record, revision, trouble } from '../state';
import { experimentName, readExperiment, writeExperiment } from '../store/experiment';
import { letGo } from '../store/follow';
import { deleteRun, importRuns, loadRun, loadRuns, storedRuns, updateRun } from '../store/runs';
import { sweepsOf } from '../store/sweeps';
import type { RunHead } from '../store/types';
import { forgetWeights } from '../store/weights';

/** What came of the last thing that was done; `bad`: it did not work. */
export const said = signal<{ words: string; bad: boolean } | null>(null);

export const say = (words: string, bad = false): void => {
  said.value = { words, bad };
};

/** Those that are chosen, by id. */
export const chosen = signal<ReadonlySet<string>>(new Set());

export function choose(ids: string[], yes: boolean): void {
  const next = new Set(chosen.value);
  for (const id of ids) {
    if (yes) next.add(id);
    else next.delete(id);
  }
  chosen.value = next;
}

export const chosenRuns = (): RunHead[] => storedRuns.value.filter(({ id }) => chosen.value.has(id));

/** What is done, or in words why not. */
async function attempt(work: () => Promise<void>): Promise<void> {
  said.value = null;
  try {
    await work();
  } catch (error) {
    say(explain(error).message, true);
  }
}

/** Its curves into the Train view. */
export const open = ({ id, name }: RunHead): Promise<void> =>
  attempt(async () => {
    if (id === present.value) return go('train');
    if (live.value) throw new Error('A run is live, and its curves are in the Train view. Stop it first.');
    const run = await loadRun(id);
    if (!run) throw new Error(`${name} is not in this browser any more.`);
    past.value = { run: id, record: RunRecord.of(run) };
    present.value = null;
    record.value = past.value.record;
    phase.value = 'idle';
    trouble.value = null;
    revision.value += 1;
    go('train');
  });

/** The Train view is empty again. */
export function putAway(): void {
  past.value = null;
  record.value = null;
}

export function useSettings({ config }: RunHead): void {
  adopt(config);
  go('train');
}

export function goOn({ id }: RunHead): void {
  if (!can.load.value) say('A run is live, or the lab is not ready. Stop it first.', true);
  else {
    go('train');
    void trainOn(id);
  }
}

export const saveWeights = ({ id, name, weights }: RunHead): Promise<void> =>
  attempt(async () => {
    const file = await current(weightsName(id));
    if (!file) {
      await updateRun(id, { weights: null });
      throw new Error(`The weights of ${name} are not in this browser any more.`);
    }
    save(file, `${fileName(name)}-step-${weights?.step ?? 0}.safetensors`);
  });

const fileName = (words: string): string => dashed(words).slice(0, 80) || 'run';

/** With their points and weights. Those that are open elsewhere or live stay, and are named. */
export const remove = (runs: RunHead[]): Promise<void> =>
  attempt(async () => {
    const left: string[] = [];
    for (const { id, name } of runs) if (!((await letGo(id)) && (await deleteRun(id)))) left.push(name);
    choose(
      runs.map(({ id }) => id),
      false,
    );
    const gone = runs.length - left.length;
    const words = gone === 0 ? '' : gone === 1 ? 'One run was deleted. ' : `${gone} runs were deleted. `;
    if (left.length > 0)
      throw new Error(`${words}Live, or open in another tab, and left: ${left.join(', ')}.`);
    say(words);
  });

export const removeWeights = (runs: RunHead[]): Promise<void> =>
  attempt(async () => {
    for (const { id, weights } of runs) if (weights) await forgetWeights(id);
  });

export const saveExperiment = (runs: RunHead[]): Promise<void> =>
  attempt(async () => {
    const loaded = await loadRuns(runs.map(({ id }) => id));
    save(writeExperiment({ runs: loaded, sweeps: await sweepsOf(loaded) }), experimentName());
  });

export const openExperiment = (file: File): Promise<void> =>
  attempt(async () => {
    const experiment = await readExperiment(file).catch((error) => {
      throw new Error(`${file.name} was not opened. ${explain(error).message}`);
    });
    const added = await importRuns(experiment);
    const known = experiment.runs.length - added;
    say(
      `${added === 1 ? 'One run was' : `${added} runs were`} added from ${file.name}` +
        `${known > 0 ? `; ${known} more ${known === 1 ? 'was' : 'were'} here already` : ''}.`,
    );
  });
