// A text file dropped anywhere on the page becomes the text to train on, a tokenizer's the tokenizer, JSON Lines the own
// downstream tasks; a saved run is gone on with, a file of runs opened.

import { useEffect, useState } from 'preact/hooks';
import { isRunFile, load } from '../checkpoint/actions';
import { useOwnText, useTasks } from '../client';
import { commit, edit } from '../config/edit';
import { getKnown } from '../config/values';
import { openExperiment } from '../runs-list/actions';
import { go } from '../shell/views';
import { config } from '../state';
import { isExperimentFile } from '../store/experiment';
import { dropTokenizer, isTokenizerFile } from '../tokenizer/actions';
import { OWN } from './corpora';

/** Whoever drops questions wants them asked. */
function dropTasks(file: File): void {
  useTasks(file, file.name);
  const wanted = getKnown(config.value, 'downstream.tasks');
  if (!Array.isArray(wanted) || wanted.includes('own')) return;
  edit('downstream.tasks', [...wanted, 'own']);
  commit();
}

export function DropTarget() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const carriesFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const onOver = (event: DragEvent) => {
      if (!carriesFile(event)) return;
      // Otherwise the browser would leave the page to show the file.
      event.preventDefault();
      setOver(true);
    };
    const onDrop = (event: DragEvent) => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      setOver(false);
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      if (isRunFile(file)) return load(file);
      if (isExperimentFile(file)) {
        go('runs');
        return void openExperiment(file);
      }
      if (isTokenizerFile(file)) return dropTokenizer(file);
      if (file.name.endsWith('.jsonl')) return dropTasks(file);
      useOwnText(file, file.name);
      edit('data.corpus', OWN);
      commit();
    };
    addEventListener('dragover', onOver, { signal });
    addEventListener('drop', onDrop, { signal });
    addEventListener('dragleave', (event) => event.relatedTarget === null && setOver(false), { signal });
    return () => stop.abort();
  }, []);
  return over ? (
    <div class="drop-target" aria-hidden="true">
      <p>Drop it: a text to train on, a tokenizer, questions, a saved run to go on with, or a file of runs</p>
    </div>
  ) : null;
}
