// The settings, rendered from the schema: nothing here knows which settings there are.

import { resetAll } from '../config/edit';
import type { Config } from '../config/schema';
import { get, same } from '../config/values';
import { OwnTasks } from '../downstream/own';
import { describe } from '../errors';
import { CopyLink } from '../shell/link';
import { config, live, problems, record, sections, usual } from '../state';
import { OwnText, TEXT_FIELD, wantsOwnText } from '../text/own';
import { Preview } from '../text/preview';
import { TokenizerFile } from '../tokenizer/file';
import { Readiness } from '../tokenizer/readiness';
import { FieldSet } from './fieldset';

export function Settings() {
  const fields = sections.value.flatMap((section) => section.fields);
  const changed = fields.filter(({ path }) => !same(get(config.value, path), get(usual.value, path)));
  const owned = [...fields.map((field) => field.path), ...(wantsOwnText() ? [TEXT_FIELD] : [])];
  const homeless = problems.value.filter((problem) => !owned.includes(problem.field));
  const behind = live.value && record.value !== null && !alike(record.value.config, config.value);
  return (
    <aside class="settings" id="settings" tabIndex={-1} aria-labelledby="settings-title">
      <div class="settings-head">
        <h2 id="settings-title">Settings</h2>
        <span class="muted" data-testid="changed-count">
          {fields.length === 0
            ? ''
            : changed.length === 0
              ? 'all at their defaults'
              : `${changed.length} changed`}
        </span>
        <span class="spacer" />
        {changed.length > 0 && (
          <button type="button" class="quiet" onClick={resetAll} data-testid="reset-all">
            Reset all
          </button>
        )}
        <CopyLink />
      </div>
      {behind && (
        <p class="hint" data-testid="settings-behind">
          The run goes on with the settings it was started with; changes count for the next one, and where
          they are about samples, for those you ask for.
        </p>
      )}
      {homeless.map((problem) => (
        <p key={problem.field} class="problem" role="alert">
          {problem.field && <code>{problem.field}: </code>}
          {describe(problem)}
        </p>
      ))}
      <form onSubmit={(event) => event.preventDefault()} autocomplete="off">
        {sections.value.map((section) => (
          <FieldSet key={section.name} section={section}>
            {section.name === 'data' && (
              <>
                <OwnText />
                <Preview />
              </>
            )}
            {section.name === 'downstream' && <OwnTasks />}
            {section.name === 'tokenizer' && (
              <>
                <TokenizerFile />
                <Readiness id="readiness" spoken />
              </>
            )}
          </FieldSet>
        ))}
      </form>
    </aside>
  );
}

const alike = (one: Config, other: Config): boolean => JSON.stringify(one) === JSON.stringify(other);
