// Asks the model for a text. Its fields are those of the settings, shown a second time: a sample that is asked for is
// drawn by them at once, those on schedule from the next run on.

import { get, type KnownPath } from '../config/values';
import { describe } from '../errors';
import { Control } from '../form/control';
import { controlId } from '../form/field';
import { config, problems, sampleRefusal, sampling, sections } from '../state';
import { can, sample } from './actions';

const PATHS: KnownPath[] = [
  'evaluation.prompt',
  'evaluation.temperature',
  'evaluation.top_k',
  'evaluation.top_p',
  'evaluation.sample_seed',
];

export function Ask() {
  const wrong = problems.value.filter(({ field }) => PATHS.some((path) => path === field));
  const able = can.sample.value && !sampling.value && wrong.length === 0;
  return (
    <form
      class="ask"
      autocomplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        if (able) sample();
      }}
    >
      {PATHS.map((path) => (
        <AskField key={path} path={path} />
      ))}
      <button type="submit" class="action" aria-disabled={!able} data-testid="ask">
        {sampling.value ? 'Writing …' : 'Sample now'}
      </button>
      {wrong.map((problem) => (
        <p key={problem.field} class="problem" id={problemId(problem.field)}>
          {describe(problem)}
        </p>
      ))}
      {sampleRefusal.value && (
        <p class="problem" role="alert" data-testid="sample-refusal">
          {sampleRefusal.value}
        </p>
      )}
    </form>
  );
}

const problemId = (path: string): string => `ask-${path}-problem`;

function AskField({ path }: { path: KnownPath }) {
  const field = sections.value.flatMap(({ fields }) => fields).find((candidate) => candidate.path === path);
  if (!field) return null;
  const invalid = problems.value.some((problem) => problem.field === path);
  const id = `ask-${field.name}`;
  const describedBy = `${invalid ? `${problemId(path)} ` : ''}${controlId(path)}-help`;
  const value = get(config.value, path);
  return (
    <label for={id} class={field.kind === 'text' ? 'grow' : ''}>
      <span>{field.label}</span>
      <Control {...{ field, id, value, invalid, describedBy }} testid={id} />
    </label>
  );
}
