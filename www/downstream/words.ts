// Scores in words.

import { type Choice, humanize } from '../config/schema';
import type { Answer, TaskScore } from '../lab';
import { sections } from '../state';

/** Within two standard errors of what guessing reaches. */
export const nearChance = ({ accuracy, standard_error, chance }: TaskScore): boolean =>
  Math.abs(accuracy - chance) <= 2 * standard_error || accuracy < chance;

/** A share in percent. */
export const per = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** The mean of the tasks' chances. */
export const meanChance = (tasks: TaskScore[]): number =>
  tasks.reduce((sum, { chance }) => sum + chance, 0) / tasks.length;

/** As the form calls it. */
export function titleOf(task: string): string {
  const fields = sections.value.flatMap(({ fields }) => fields);
  const choices: Choice[] = fields.find(({ path }) => path === 'downstream.tasks')?.choices ?? [];
  return choices.find(({ value }) => value === task)?.label ?? humanize(task);
}

/** What follows the choice that the model made. */
export const chosenOf = ({ choices }: Answer): string =>
  choices.length === 1 ? ' · the model writes it' : ' · the model’s choice';
