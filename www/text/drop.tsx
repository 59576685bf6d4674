// A text file dropped anywhere on the page becomes the text to train on, a tokenizer's the tokenizer; a saved run is
// gone on with.

import { useEffect, useState } from 'preact/hooks';
import { isRunFile, load } from '../checkpoint/actions';
import { useOwnText } from '../client';
import { commit, edit } from '../config/edit';
import { dropTokenizer, isTokenizerFile } from '../tokenizer/actions';
import { OWN } from './corpora';

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
      if (isTokenizerFile(file)) return dropTokenizer(file);
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
      <p>Drop it: a text to train on, a tokenizer, or a saved run to go on with</p>
    </div>
  ) : null;
}
