/** @file The published models that encoders are made of: where they are, which of their files we read, under which licence. */
import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import { readJson } from '../../formats/json.ts'
import { isAbsolutePath, repositoryInPath, requireRepository } from './repository.ts'

export const MODELS = ['smolvla', 'octo-small', 'octo-base', 't5-base', 'resnet10'] as const
export type ModelName = (typeof MODELS)[number]

/** Files of one repository of the Hub. `optional`: some revisions have them. */
export type WantedFiles = { files: readonly string[]; optional?: readonly string[] }
export type RepositoryFiles = WantedFiles & { repository: string }

/** A second model that the first one's config names; `alias` is its folder where all lies in one. */
export type Companion = RepositoryFiles & { alias: string }

export type HubModel = RepositoryFiles & {
  kind: 'hub'
  licence: string
  use: string // the option of `duet train`
  /** What config files in `folder` name besides. @throws InputError if they name what they may not */
  named?(folder: string): Promise<{ files: readonly string[]; companions: readonly Companion[] }>
}

/** One file of a release page. */
export type ReleaseFile = { kind: 'release'; url: string; file: string; sha256: string; licence: string; use: string }

/** Of a model that another one's config names: all but its weights. */
export const TOKENIZER = { files: ['config.json', 'tokenizer.json'], optional: ['tokenizer_config.json'] } as const

/** As the cache may have them. */
export const tokenizerFiles = (name: string): RepositoryFiles => ({
  repository: repositoryOf(name, name),
  ...TOKENIZER,
})

export const CATALOGUE: Readonly<Record<ModelName, HubModel | ReleaseFile>> = {
  smolvla: {
    kind: 'hub',
    repository: 'lerobot/smolvla_base',
    files: ['config.json', 'model.safetensors'],
    optional: ['policy_preprocessor.json'],
    licence: 'Apache-2.0',
    use: '--vla smolvla',
    named: namedBySmolVla,
  },
  'octo-small': {
    kind: 'hub',
    repository: 'rail-berkeley/octo-small-1.5',
    files: ['config.json', '300000/default/checkpoint'],
    licence: 'MIT',
    use: '--vla octo',
    named: namedByOcto,
  },
  'octo-base': {
    kind: 'hub',
    repository: 'rail-berkeley/octo-base-1.5',
    files: ['config.json', '300000/default/checkpoint'],
    licence: 'MIT',
    use: '--vla octo --vla-path octo-base',
    named: namedByOcto,
  },
  't5-base': {
    kind: 'hub',
    repository: 'google-t5/t5-base',
    files: [...TOKENIZER.files, 'model.safetensors'],
    optional: TOKENIZER.optional,
    licence: 'Apache-2.0',
    use: '--set t5Path=t5-base',
  },
  resnet10: {
    kind: 'release',
    url: 'https://github.com/rail-berkeley/serl/releases/download/resnet10/resnet10_params.pkl',
    file: 'resnet10_params.pkl',
    sha256: '175745d43d30233eb01b5369465d1c24c11b8ee71ccb734cc1c1bca13e07f57b',
    licence: 'Apache-2.0',
    use: '--set resnetPath=resnet10',
  },
}

export const isModel = (name: string): name is ModelName => (MODELS as readonly string[]).includes(name)

/** The model that `duet pull` fetches from a repository, as configs name it. */
export const modelOf = (name: string): ModelName | undefined =>
  MODELS.find((model) => {
    const entry = CATALOGUE[model]
    return entry.kind === 'hub' && [name, `google-t5/${name}`].includes(entry.repository)
  })

/** The repository of a model as configs name it; early models were renamed. */
export function repositoryOf(name: string, where: string): string {
  return requireRepository(/^t5-(?:small|base|large|3b|11b)$/.test(name) ? `google-t5/${name}` : name, where)
}

async function namedBySmolVla(folder: string) {
  const [config, pipeline] = await Promise.all([json(folder, 'config.json'), json(folder, 'policy_preprocessor.json')])
  const { steps } = (pipeline ?? {}) as { steps?: unknown }
  const named = (Array.isArray(steps) ? steps : []).map((step) => (step as { state_file?: unknown } | null)?.state_file)
  const files = named.filter((file) => typeof file === 'string')
  const strange = files.find((file) => !/^[\w.-]+\.safetensors$/.test(file))
  if (strange !== undefined)
    throw new InputError(
      join(folder, 'policy_preprocessor.json'),
      `names the file "${strange}"`,
      'It cannot be trusted',
    )
  const name = (config as { vlm_model_name?: unknown } | undefined)?.vlm_model_name
  return { files, companions: companion('vlm', name, join(folder, 'config.json')) }
}

async function namedByOcto(folder: string) {
  type Named = { text_processor?: { kwargs?: { tokenizer_name?: unknown } } }
  const name = ((await json(folder, 'config.json')) as Named | undefined)?.text_processor?.kwargs?.tokenizer_name
  return { files: [], companions: companion('t5', name, join(folder, 'config.json')) }
}

/** A path of the machine that trained names a repository only where it leads into a cache. */
function companion(alias: string, name: unknown, where: string): Companion[] {
  const repository = typeof name === 'string' && isAbsolutePath(name) ? repositoryInPath(name) : name
  return typeof repository === 'string' ? [{ alias, repository: repositoryOf(repository, where), ...TOKENIZER }] : []
}

/** Undefined: the encoder says what is wrong with it. */
const json = (folder: string, file: string): Promise<unknown> => readJson(join(folder, file), '').catch(() => undefined)
