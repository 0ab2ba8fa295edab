/** @file The tiny models of tests/fixtures, as repositories of the Hub. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CATALOGUE, type HubModel } from '../../../src/vla/hub/catalogue.ts'
import type { HubSettings } from '../../../src/vla/hub/settings.ts'
import type { HubServer } from './server.ts'

export const FIXTURES = resolve(import.meta.dirname, '../../fixtures')
export const VLM = 'HuggingFaceTB/TinyVLM'

const read = (...parts: string[]) => readFileSync(join(FIXTURES, ...parts))
const files = (folder: string, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, read(folder, name)]))

export const STATISTICS = 'policy_preprocessor_step_5_normalizer_processor.safetensors'

export function publishSmolVla(server: HubServer): string {
  const config = JSON.parse(read('smolvla', 'config.json').toString())
  server.add(
    VLM,
    files('smolvla/vlm', ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json']),
  )
  return server.add((CATALOGUE.smolvla as HubModel).repository, {
    ...files('smolvla', ['model.safetensors', 'policy_preprocessor.json', STATISTICS, 'policy_postprocessor.json']),
    'config.json': JSON.stringify({ ...config, vlm_model_name: VLM }),
    'README.md': 'not asked for',
  })
}

/** Its config names `t5-base`, as the published one does. */
export function publishOcto(server: HubServer, model: 'octo-small' | 'octo-base' = 'octo-small'): string {
  const config = read('octo', 'config.json')
    .toString()
    .replace(/("tokenizer_name": )"t5"/, '$1"t5-base"')
  server.add('google-t5/t5-base', files('octo/t5', ['config.json', 'tokenizer.json', 'tokenizer_config.json']))
  return server.add((CATALOGUE[model] as HubModel).repository, {
    'config.json': config,
    '300000/default/checkpoint': read('octo', '300000/default/checkpoint'),
  })
}

export const settingsOf = (server: HubServer, home: string, changes: Partial<HubSettings> = {}): HubSettings => ({
  endpoint: server.endpoint,
  cache: join(home, 'hub'),
  assets: join(home, 'assets'),
  offline: false,
  ...changes,
})
