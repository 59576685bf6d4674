// Own downstream tasks from a file.

import { useTasks } from '../client';
import { getKnown } from '../config/values';
import { OwnFile } from '../form/own-file';
import { count } from '../format';
import { config, ownTasks, ownTasksRefusal } from '../state';

export function OwnTasks() {
  const wanted = getKnown(config.value, 'downstream.tasks');
  if (!Array.isArray(wanted) || !wanted.includes('own')) return null;
  const inUse = ownTasks.value;
  const state = inUse
    ? `In use: ${inUse.name}, ${count(inUse.items)} questions. The next run is asked them.`
    : 'No questions yet: one a line, {"context": "Two and two make", "choices": [" four.", " five."], "answer": 0}.';
  return (
    <OwnFile
      what="a file of questions (.jsonl)"
      accept=".jsonl"
      testid="own-tasks"
      take={(file) => useTasks(file, file.name)}
      refusal={ownTasksRefusal.value}
      inUse={inUse?.name}
      state={`${state} They stay in this page; links and saved runs do not contain them.`}
    />
  );
}
