// Own downstream tasks from a file: choose it, or drop it. It never leaves the page.

import { useTasks } from '../client';
import { getKnown } from '../config/values';
import { count } from '../format';
import { config, ownTasks, ownTasksRefusal } from '../state';

export function OwnTasks() {
  const wanted = getKnown(config.value, 'downstream.tasks');
  if (!Array.isArray(wanted) || !wanted.includes('own')) return null;
  const inUse = ownTasks.value;
  return (
    <div class="own-text">
      <label class="file">
        <span>Choose a file of questions (.jsonl), or drop it anywhere on the page</span>
        <input
          class="own-file"
          type="file"
          accept=".jsonl"
          data-testid="own-tasks-file"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file) useTasks(file, file.name);
            // So that the same file can be chosen again after it was changed.
            event.currentTarget.value = '';
          }}
        />
      </label>
      <div aria-live="polite">
        {ownTasksRefusal.value && (
          <p class="problem" data-testid="own-tasks-refusal">
            {ownTasksRefusal.value} {inUse && `${inUse.name} stays in use.`}
          </p>
        )}
        <p class="help" data-testid="own-tasks-state">
          {inUse
            ? `In use: ${inUse.name}, ${count(inUse.items)} questions. The next run is asked them. `
            : 'No questions yet: one a line, {"context": "Two and two make", "choices": [" four.", " five."], "answer": 0}. '}
          They stay in this page; links and saved runs do not contain them.
        </p>
      </div>
    </div>
  );
}
