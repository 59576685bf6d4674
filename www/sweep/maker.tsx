// Making a sweep: what differs, what all runs have, seeds, budget; and what that comes to, before anything runs.

import { useEffect, useRef } from 'preact/hooks';
import { getKnown } from '../config/values';
import { count } from '../format';
import { config, plan, sections, usual } from '../state';
import { keep, saveYaml } from './actions';
import {
  budgetOf,
  constants,
  KINDS,
  SEED,
  STEPS,
  seedsOf,
  varied,
  withBase,
  withBudget,
  withParameter,
  withSeeds,
} from './definition';
import { able, type Draft, define, draft as drafted, edit, mostWorkers } from './draft';
import { Option } from './option';
import { Preview } from './preview';
import { go } from './queue';
import type { Budget, Definition } from './types';

const BUDGETS: Record<Budget['kind'], { label: string; unit: string }> = {
  tokens: { label: 'equally many tokens', unit: 'tokens' },
  bytes: { label: 'equally much text', unit: 'bytes' },
  flops: { label: 'equally much computation', unit: 'FLOP' },
  seconds: { label: 'equally much time', unit: 'seconds' },
};

export function Maker({ draft, onKept }: { draft: Draft; onKept: (id: string) => void }) {
  const { definition, device, workers } = draft;
  const title = useRef<HTMLHeadingElement>(null);
  // It comes into view above what it was opened from.
  useEffect(() => title.current?.focus(), []);
  const make = (then: (id: string) => void) => async () => {
    const id = await keep();
    if (!id) return;
    onKept(id);
    then(id);
  };
  return (
    <section class="panel maker" aria-labelledby="maker-title" data-testid="maker">
      <div class="sweep-head">
        <h3 id="maker-title" ref={title} tabIndex={-1}>
          A sweep to be
        </h3>
        <span class="spacer" />
        <button
          type="button"
          class="quiet"
          onClick={() => void saveYaml(definition)}
          data-testid="save-draft"
        >
          Save as YAML
        </button>
        <button
          type="button"
          class="quiet"
          onClick={() => {
            drafted.value = null;
          }}
          data-testid="put-away"
        >
          Put away
        </button>
      </div>
      <form onSubmit={(event) => event.preventDefault()} autocomplete="off">
        <label class="maker-row">
          <span>Name</span>
          <input
            type="text"
            value={definition.name ?? ''}
            placeholder="Sweep"
            onInput={({ currentTarget: { value } }) => edit({ definition: { ...definition, name: value } })}
            data-testid="draft-name"
          />
        </label>
        {definition.description && <p class="help">{definition.description}</p>}
        <fieldset>
          <legend>What differs</legend>
          {varied(definition).map(([path, parameter]) => (
            <Option key={path} path={path} parameter={parameter} random={definition.method === 'random'} />
          ))}
          <AddOption definition={definition} />
          <Constants definition={definition} />
        </fieldset>
        <fieldset>
          <legend>Which runs</legend>
          <Method definition={definition} />
          <Seeds definition={definition} />
          <BudgetRow definition={definition} />
          <label class="maker-row">
            <span>Device</span>
            <select
              value={device}
              onChange={({ currentTarget: { value } }) => {
                const chosen = value === 'gpu' ? 'gpu' : 'cpu';
                edit({ device: chosen, workers: Math.min(workers, mostWorkers(chosen)) });
              }}
              data-testid="draft-device"
            >
              <option value="cpu">CPU</option>
              <option value="gpu">GPU (WebGPU)</option>
            </select>
          </label>
          {device === 'cpu' && (
            <label class="maker-row">
              <span>Side by side</span>
              <select
                value={workers}
                onChange={({ currentTarget: { value } }) => edit({ workers: Number(value) })}
                data-testid="draft-workers"
              >
                {Array.from({ length: mostWorkers('cpu') }, (_, index) => (
                  <option key={index} value={index + 1}>
                    {index === 0 ? '1 run' : `${index + 1} runs`}
                  </option>
                ))}
              </select>
            </label>
          )}
        </fieldset>
        <Preview draft={draft} />
        <div class="maker-end">
          <button
            type="button"
            class="action primary"
            aria-disabled={!able.value}
            onClick={make(go)}
            data-testid="start-sweep"
          >
            Start
          </button>
          <button
            type="button"
            class="action"
            aria-disabled={!able.value}
            onClick={make(() => {})}
            data-testid="keep-sweep"
          >
            Keep for later
          </button>
        </div>
      </form>
    </section>
  );
}

function AddOption({ definition }: { definition: Definition }) {
  const used = varied(definition).map(([path]) => path);
  return (
    <label class="maker-row">
      <span>{used.length === 0 ? 'Setting' : 'Another setting'}</span>
      <select
        value=""
        data-testid="add-option"
        onChange={({ currentTarget }) => {
          const path = currentTarget.value;
          currentTarget.value = '';
          // Its present value is the first of those that are compared.
          const value = constants(definition).find(([name]) => name === path)?.[1];
          if (path)
            define((before) => withParameter(before, path, { values: value === undefined ? [] : [value] }));
        }}
      >
        <option value="">Choose what to compare …</option>
        {sections.value.map((section) => (
          <optgroup key={section.name} label={section.label}>
            {section.fields
              .filter(({ path }) => path !== SEED && !used.includes(path))
              .filter(({ path }) => path !== STEPS || !budgetOf(definition))
              .map(({ path, label }) => (
                <option key={path} value={path}>
                  {label}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

function Constants({ definition }: { definition: Definition }) {
  const same = constants(definition);
  return (
    <p class="help" data-testid="draft-constants">
      {same.length === 0
        ? 'All else is at its default. '
        : `The same in all runs: ${same.map(([path, value]) => `${path} = ${value}`).join(', ')}. All else is at its default. `}
      <button
        type="button"
        class="quiet"
        onClick={() => define((before) => withBase(before, config.value, usual.value, sections.value))}
        data-testid="draft-base"
      >
        Take the settings of the Train view
      </button>
    </p>
  );
}

function Method({ definition }: { definition: Definition }) {
  const random = definition.method === 'random';
  return (
    <>
      <label class="maker-row">
        <span>Combinations</span>
        <select
          value={definition.method}
          onChange={({ currentTarget: { value } }) => {
            const method = value === 'random' ? 'random' : 'grid';
            define(({ run_cap, ...rest }) => ({
              ...rest,
              method,
              ...(method === 'random' && { run_cap: run_cap ?? 10 }),
            }));
          }}
          data-testid="draft-method"
        >
          <option value="grid">all</option>
          <option value="random">drawn at random</option>
        </select>
      </label>
      {random && (
        <Amount
          label="Runs in all"
          value={definition.run_cap ?? null}
          unit="each draw is a run for every seed"
          testid="draft-cap"
          onChange={(run_cap) =>
            define((before) => ({ ...before, run_cap: Math.max(1, Math.round(run_cap)) }))
          }
        />
      )}
    </>
  );
}

function Seeds({ definition }: { definition: Definition }) {
  const seeds = seedsOf(definition);
  const first = Number(seeds[0] ?? getKnown(config.value, SEED));
  return (
    <Amount
      label="Seeds"
      value={Math.max(seeds.length, 1)}
      unit={seeds.length > 1 ? 'a seed each is a run of its own' : 'one run says nothing about chance'}
      testid="draft-seeds"
      onChange={(wanted) =>
        define((before) => withSeeds(before, Math.min(Math.max(1, Math.round(wanted)), 100), first))
      }
    />
  );
}

function BudgetRow({ definition }: { definition: Definition }) {
  const budget = budgetOf(definition);
  return (
    <>
      <label class="maker-row">
        <span>Each run gets</span>
        <select
          value={budget?.kind ?? ''}
          onChange={({ currentTarget: { value } }) => {
            const kind = KINDS.find((name) => name === value);
            define((before) => withBudget(before, kind ? { kind, amount: likely(kind) } : null));
          }}
          data-testid="draft-budget"
        >
          <option value="">steps, as set</option>
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {BUDGETS[kind].label}
            </option>
          ))}
        </select>
      </label>
      {budget && (
        <Amount
          label="That is"
          value={budget.amount}
          unit={BUDGETS[budget.kind].unit}
          testid="draft-amount"
          onChange={(amount) => define((before) => withBudget(before, { ...budget, amount }))}
        />
      )}
      {budget?.kind === 'seconds' && (
        <p class="help">
          A short trial of each run, before the first one begins, says how many steps fit; nothing else should
          train meanwhile. Runs side by side share the processor and take longer than that.
        </p>
      )}
    </>
  );
}

/** About what the settings of the Train view take. */
function likely(kind: Budget['kind']): number {
  const known = plan.value;
  if (kind === 'seconds') return 30;
  if (!known) return kind === 'flops' ? 1e11 : 1e6;
  const tokens = Number(getKnown(config.value, 'training.steps')) * known.tokens_per_step;
  const each = { tokens: 1, bytes: known.bytes_per_token, flops: known.flops_per_token }[kind];
  return Number((tokens * each).toPrecision(2));
}

type AmountProps = {
  label: string;
  value: number | null;
  unit: string;
  testid: string;
  onChange: (value: number) => void;
};

function Amount({ label, value, unit, testid, onChange }: AmountProps) {
  return (
    <label class="maker-row">
      <span>{label}</span>
      <input
        type="text"
        inputMode="decimal"
        value={value === null ? '' : value >= 1e6 ? count(value) : String(value)}
        onChange={({ currentTarget }) => {
          const number = Number(currentTarget.value.replaceAll(/[\s_]|,(?=\d{3}\b)/g, ''));
          if (number > 0 && Number.isFinite(number)) onChange(number);
          else currentTarget.value = value === null ? '' : String(value);
        }}
        data-testid={testid}
      />
      <small class="muted">{unit}</small>
    </label>
  );
}
