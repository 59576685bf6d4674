// What the tokenizer makes of the text: how it is split, and what the vocabulary is used for.

import { count, figures, percent } from '../format';
import type { TokenUse } from '../lab';
import type { Split } from '../protocol';
import { noPlan, plan, split } from '../state';
import { Readiness } from './readiness';
import { SplitText } from './split';
import { openPanel } from './splitting';

export function TokenizerPanel() {
  const known = plan.value;
  const shown = known && split.value;
  return (
    <details
      class="panel tokenizer"
      data-testid="tokenizer-panel"
      onToggle={({ currentTarget }) => openPanel(currentTarget.open)}
    >
      <summary>
        <h2>Tokens</h2>
        <span class="muted">
          {known
            ? `${count(known.vocabulary)} in the vocabulary · ${figures(known.bytes_per_token)} bytes each`
            : 'how the text is split'}
        </span>
      </summary>
      {!known && <p class="muted">{noPlan.value ?? 'Shown as soon as the settings give a plan.'}</p>}
      <Readiness id="panel-readiness" />
      {shown && <Shown shown={shown} perToken={known.bytes_per_token} />}
    </details>
  );
}

function Shown({ shown, perToken }: { shown: Split; perToken: number }) {
  const { usage, share, kind } = shown;
  return (
    <div class="shown" data-kind={kind}>
      <dl class="facts">
        <Fact
          name="A token"
          testid="bytes-per-token"
          value={perToken}
          text={`${figures(perToken)} bytes`}
          note={`${figures(1 / perToken)} tokens a byte, on the held-out text`}
        />
        <Fact
          name="Vocabulary"
          testid="used"
          value={usage.used}
          text={`${count(usage.used)} of ${count(usage.vocabulary)}`}
          note={`${percent(usage.used / usage.vocabulary)} of its tokens occur in the text`}
        />
        <Fact
          name="Its price"
          testid="vocabulary-share"
          value={share}
          text={percent(share)}
          note="of the parameters are a row for each token"
        />
      </dl>
      <SplitText shown={shown} />
      <div class="uses">
        <Uses title="Most frequent" uses={usage.frequent} testid="frequent" />
        <Uses title="Rarest that occur" uses={usage.rare} testid="rare" />
      </div>
    </div>
  );
}

type FactProps = { name: string; testid: string; value: number; text: string; note: string };

function Fact({ name, testid, value, text, note }: FactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b data-testid={`tokens-${testid}`} data-value={value}>
          {text}
        </b>
        <small>{note}</small>
      </dd>
    </div>
  );
}

function Uses({ title, uses, testid }: { title: string; uses: TokenUse[]; testid: string }) {
  return (
    <div>
      <h3>{title}</h3>
      <ol data-testid={`tokens-${testid}`}>
        {uses.map(({ token, label, count: times }) => (
          <li key={token}>
            <code>{label}</code> <span class="muted">{count(times)}×</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
