/** @file Sentencepiece's .model files (protobuf), turned into what a tokenizer.json of the same T5 tokenizer holds. */
import protobuf from 'protobufjs'
import { InputError } from '../errors.ts'

const field = (id: number, type: string, rule?: string) => (rule ? { id, type, rule } : { id, type })

/** The fields of sentencepiece_model.proto that encoding needs. */
const ModelProto = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        pieces: field(1, 'Piece', 'repeated'),
        trainer: field(2, 'Trainer'),
        normalizer: field(3, 'Normalizer'),
      },
    },
    Piece: { fields: { piece: field(1, 'string'), score: field(2, 'float'), type: field(3, 'int32') } },
    Trainer: { fields: { modelType: field(3, 'int32'), unkId: field(40, 'int32') } },
    Normalizer: { fields: { charsmap: field(2, 'bytes') } },
  },
}).lookupType('ModelProto')

type Model = {
  pieces: { piece: string; score: number; type: number }[]
  trainer?: { modelType: number; unkId: number }
  normalizer?: { charsmap: Uint8Array }
}

const UNIGRAM = 1
const PIECE_TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4 }
const SENTINELS = 100 // <extra_id_0..99>: T5 puts them behind the pieces, in falling order
const REMEDY = 'Give the spiece.model of a T5, or its tokenizer.json'

/** Both parts of a T5 tokenizer as JSON objects. @throws InputError if the file is damaged or no unigram model */
export function tokenizerOfSentencepiece(bytes: Uint8Array, where: string): { tokenizer: object; config: object } {
  const { pieces, trainer, normalizer } = decode(bytes, where)
  const modelType = trainer?.modelType ?? UNIGRAM
  if (modelType !== UNIGRAM) throw new InputError(where, `is a model of type ${modelType}, expected unigram`, REMEDY)
  const unknown = pieces.findIndex(({ type }) => type === PIECE_TYPES.unknown)
  const end = pieces.findIndex(({ piece, type }) => piece === '</s>' && type === PIECE_TYPES.control)
  if (unknown < 0 || end < 0) throw new InputError(where, 'has no piece for unknown characters or no </s>', REMEDY)
  const sentinels = Array.from({ length: SENTINELS }, (_, i) => `<extra_id_${SENTINELS - 1 - i}>`)
  const special = (content: string, id: number) => ({
    ...{ id, content, special: true, normalized: false },
    ...{ single_word: false, lstrip: false, rstrip: false },
  })
  const charsmap = normalizer?.charsmap
  const tokenizer = {
    added_tokens: [
      ...pieces.flatMap(({ piece, type }, id) => (type === PIECE_TYPES.normal ? [] : [special(piece, id)])),
      ...sentinels.map((content, i) => special(content, pieces.length + i)),
    ],
    normalizer: charsmap?.length
      ? { type: 'Precompiled', precompiled_charsmap: Buffer.from(charsmap).toString('base64') }
      : null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'WhitespaceSplit' },
        { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
      ],
    },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
      pair: [],
      special_tokens: { '</s>': { id: '</s>', ids: [end], tokens: ['</s>'] } },
    },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: unknown,
      vocab: [...pieces.map(({ piece, score }) => [piece, score]), ...sentinels.map((content) => [content, 0])],
    },
  }
  const config = { eos_token: '</s>', unk_token: pieces[unknown]!.piece, pad_token: '<pad>' }
  return { tokenizer, config }
}

function decode(bytes: Uint8Array, where: string): Model {
  let model: Model
  try {
    model = ModelProto.decode(bytes) as unknown as Model
  } catch (cause) {
    throw new InputError(where, `is not a sentencepiece model (${(cause as Error).message})`, REMEDY, { cause })
  }
  const { pieces } = model
  if (pieces.length === 0) throw new InputError(where, 'has no pieces', REMEDY)
  const odd = pieces.findIndex(({ piece, score, type }) => piece === '' || !Number.isFinite(score) || type < 0)
  if (odd >= 0) throw new InputError(`${where}, piece ${odd}`, 'has no text or no finite score', REMEDY)
  // protobufjs gives 0 where the type is left out; the format's default is 1
  return { ...model, pieces: pieces.map(({ piece, score, type }) => ({ piece, score, type: type || 1 })) }
}
