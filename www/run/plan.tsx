// What the run will cost, before it is begun.

import { computed } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { getKnown } from '../config/values';
import { describe } from '../errors';
import { Fixes } from '../form/fixes';
import { bytes, count, nats, percent, si } from '../format';
import type { Plan as PlanFacts } from '../lab';
import { config, noPlan, plan, problems, record, tokenizing } from '../state';
import { Readiness } from '../tokenizer/readiness';
import { flopsOf } from '../work';

const PARTS = [
  ['embeddings', 'embeddings'],
  ['attention', 'attention'],
  ['mlp', 'MLP'],
  ['norms', 'norms'],
  ['head', 'head'],
] as const;

const WORK = [
  ['attention', 'attention'],
  ['matmul', 'other products'],
  ['head', 'head and loss'],
  ['optimizer', 'optimizer'],
  ['rest', 'rest'],
] as const;

const PURPOSES = [
  ['parameters', 'parameters'],
  ['gradients', 'gradients'],
  ['optimizer', 'optimizer state'],
  ['activations', 'activations'],
  ['traffic', 'transfers'],
  ['replicas', 'workers’ replicas'],
] as const;

export function Plan() {
  const known = plan.value;
  const [asked, ask] = useState<boolean | null>(null);
  const summary = useRef<HTMLElement>(null);
  // Before the first run it is what to look at; then it makes way for the curves.
  const open = asked ?? (record.value === null || mendable.value.length > 0);
  return (
    <details
      class="panel plan"
      open={open}
      onToggle={({ currentTarget }) => {
        if (currentTarget.open !== open) ask(currentTarget.open);
      }}
      data-testid="plan"
    >
      <summary ref={summary}>
        <h2>Plan</h2>
        <span class="muted">
          {known
            ? `${si(known.parameters)} parameters · ${bytes(known.bytes.total)} · ${si(totalWork(known))}FLOP in all`
            : why()}
        </span>
      </summary>
      {known ? (
        <Known plan={known} />
      ) : (
        <p class="muted" data-testid="no-plan">
          {why()}
        </p>
      )}
      <Readiness id="plan-readiness" />
      <div role="status">
        {mendable.value.map((problem) => (
          <div key={problem.field} data-testid="does-not-fit">
            <p class="problem">
              <code>{problem.field}</code>: {describe(problem)}
            </p>
            <Fixes problem={problem} onFix={() => summary.current?.focus()} />
          </div>
        ))}
      </div>
    </details>
  );
}

const steps = (): number => Number(getKnown(config.value, 'training.steps'));
const microBatches = (): number => Number(getKnown(config.value, 'training.accumulation'));
const totalWork = (known: PlanFacts): number => flopsOf(known, steps());

const mendable = computed(() => problems.value.filter(({ fixes }) => fixes && fixes.length > 0));

function why(): string {
  if (mendable.value.length > 0) return 'This run does not fit the device.';
  if (problems.value.length > 0) return 'The settings do not fit together yet; the marked fields say why.';
  if (tokenizing.value) return 'It needs the text in tokens first.';
  return noPlan.value ?? 'Working it out …';
}

function Known({ plan: known }: { plan: PlanFacts }) {
  const passes = (known.tokens_per_step * steps()) / known.train_tokens;
  return (
    <>
      <dl class="facts">
        <Fact name="Parameters" testid="parameters" value={known.parameters} text={si(known.parameters)} />
        <Fact name="Vocabulary" testid="vocabulary" value={known.vocabulary} text={count(known.vocabulary)} />
        <Fact
          name="Text"
          testid="train-tokens"
          value={known.train_tokens}
          text={`${si(known.train_tokens)} tokens`}
          note={`${si(known.held_out_tokens)} more held out; ${known.bytes_per_token.toFixed(2)} bytes each`}
        />
        <Fact
          name="A step"
          testid="tokens-per-step"
          value={known.tokens_per_step}
          text={`${count(known.tokens_per_step)} tokens`}
          note={`${count(known.dispatches)} dispatches${inParts()}; the run reads the text ${times(passes)}`}
        />
        <Fact
          name="Work"
          testid="flops-per-token"
          value={known.flops_per_token}
          text={`${si(known.flops_per_token)}FLOP`}
          note={`a token; ${si(totalWork(known))}FLOP in all`}
        />
        <Fact
          name="Optimizer state"
          testid="state"
          value={known.optimizer_bytes_per_parameter}
          text={`${known.optimizer_bytes_per_parameter.toPrecision(2)} bytes`}
          note={`a parameter; ${bytes(known.bytes.optimizer)} in all`}
        />
        <Fact
          name="To beat"
          testid="unigram-loss"
          value={known.unigram_loss}
          text={`${nats(known.unigram_loss)} nats`}
          note={`${nats(known.unigram_bits_per_byte)} bits per byte: knowing only how often each token occurs`}
        />
      </dl>
      <Shares
        name="Parameters"
        id="parts"
        total={known.parameters}
        show={count}
        shares={PARTS.map(([part, label]) => ({
          part,
          label: partLabel(known, part, label),
          value: known.parts[part],
        }))}
      />
      <Shares
        name="Memory"
        id="bytes"
        total={known.bytes.total}
        show={bytes}
        shares={PURPOSES.map(([part, label]) => ({ part, label, value: known.bytes[part] ?? 0 })).filter(
          ({ part, value }) => part !== 'replicas' || value > 0,
        )}
      />
      {known.work && <Work work={known.work} length={known.length} />}
    </>
  );
}

type WorkProps = { work: NonNullable<PlanFacts['work']>; length: PlanFacts['length'] };

/** The arithmetic of a token, and where attention would be half of it. */
function Work({ work, length }: WorkProps) {
  const of = (part: string) => work.find((one) => one.part === part)?.flops_per_token ?? 0;
  return (
    <>
      <Shares
        name="Work a token"
        id="work"
        total={work.reduce((sum, { flops_per_token }) => sum + flops_per_token, 0)}
        show={(value) => `${si(value)}FLOP`}
        shares={WORK.map(([part, label]) => ({ part, label, value: of(part) }))}
      />
      {length && (
        <p class="help" data-testid="plan-length">
          Attention is {percent(length.attention_share)} of what the blocks compute. It would be half at a
          context of {count(length.counted)} tokens, by what these kernels do; by the causal law, at{' '}
          {count(length.causal)}.
        </p>
      )}
    </>
  );
}

/** The MLP with its hidden size, for a gate may change it; a head without parameters with where they are. */
function partLabel(known: PlanFacts, part: string, label: string): string {
  if (part === 'mlp') return `${label} (${count(known.hidden)} hidden)`;
  return part === 'head' && known.parts.head === 0 ? 'head (tied to the embeddings)' : label;
}

type SharesProps = {
  name: string;
  id: string;
  total: number;
  show: (value: number) => string;
  shares: { part: string; label: string; value: number }[];
};

/** A total, and a bar of what it is made of. */
function Shares({ name, id, total, show, shares }: SharesProps) {
  return (
    <div class="shares">
      <p>
        {name}{' '}
        <b class="total" data-testid={`plan-${id}-total`} data-value={total}>
          {show(total)}
        </b>
      </p>
      <div class="bar" aria-hidden="true">
        {shares
          .filter(({ value }) => value > 0)
          .map(({ part, value }) => (
            <span key={part} class={part} style={{ flexGrow: value }} />
          ))}
      </div>
      <ul>
        {shares.map(({ part, label, value }) => (
          <li key={part} class={part}>
            {label}{' '}
            <b data-testid={`plan-${id}-${part}`} data-value={value}>
              {show(value)}
            </b>
          </li>
        ))}
      </ul>
    </div>
  );
}

const inParts = (): string => (microBatches() > 1 ? ` in ${count(microBatches())} micro-batches` : '');
const times = (passes: number): string => (passes < 10 ? `${passes.toFixed(1)}×` : `${count(passes)}×`);

type FactProps = { name: string; testid: string; value: number; text: string; note?: string };

function Fact({ name, testid, value, text, note }: FactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b data-testid={`plan-${testid}`} data-value={value}>
          {text}
        </b>
        {note && <small>{note}</small>}
      </dd>
    </div>
  );
}
