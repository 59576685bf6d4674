// A tokenizer from a file.

import { useTokenizer } from '../client';
import { OwnFile } from '../form/own-file';
import { count } from '../format';
import { config, tokenizerFile, tokenizerRefusal } from '../state';
import { isFromFile } from './kinds';

export function TokenizerFile() {
  if (!isFromFile(config.value)) return null;
  const inUse = tokenizerFile.value;
  const state = inUse
    ? `In use: ${inUse.name}, a ${inUse.words} (${count(inUse.vocabulary)} tokens).`
    : 'No tokenizer yet: a tokenizer.json, or a SentencePiece .model.';
  return (
    <OwnFile
      what="a tokenizer’s file"
      accept=".json,.model"
      testid="tokenizer"
      take={(file) => useTokenizer(file, file.name)}
      refusal={tokenizerRefusal.value}
      inUse={inUse?.name}
      state={`${state} It stays in this page and in the runs that are saved with it; links do not contain it.`}
    />
  );
}
