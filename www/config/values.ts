// Reading and changing one value of a config by its path, `section.name`. Configs are never changed in place.

import type { Config, Value } from './schema';

export function get(config: Config, path: string): Value {
  const [section = '', name = ''] = path.split('.');
  return config[section]?.[name] ?? null;
}

export function set(config: Config, path: string, value: Value): Config {
  const [section = '', name = ''] = path.split('.');
  return { ...config, [section]: { ...config[section], [name]: value } };
}
