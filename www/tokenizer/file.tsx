// A tokenizer from a file: choose it, or drop it. It never leaves the page.

import { useTokenizer } from '../client';
import { count } from '../format';
import { config, tokenizerFile, tokenizerRefusal } from '../state';
import { isFromFile } from './kinds';

export function TokenizerFile() {
  if (!isFromFile(config.value)) return null;
  const inUse = tokenizerFile.value;
  return (
    <div class="own-text">
      <label class="file">
        <span>Choose a tokenizer’s file, or drop it anywhere on the page</span>
        <input
          class="own-file"
          type="file"
          accept=".json,.model"
          data-testid="tokenizer-file"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file) useTokenizer(file, file.name);
            // So that the same file can be chosen again after it was changed.
            event.currentTarget.value = '';
          }}
        />
      </label>
      <div aria-live="polite">
        {tokenizerRefusal.value && (
          <p class="problem" data-testid="tokenizer-refusal">
            {tokenizerRefusal.value} {inUse && `${inUse.name} stays in use.`}
          </p>
        )}
        <p class="help" data-testid="tokenizer-state">
          {inUse
            ? `In use: ${inUse.name}, a ${inUse.words} (${count(inUse.vocabulary)} tokens). `
            : 'No tokenizer yet: a tokenizer.json, or a SentencePiece .model. '}
          It stays in this page and in the runs that are saved with it; links do not contain it.
        </p>
      </div>
    </div>
  );
}
