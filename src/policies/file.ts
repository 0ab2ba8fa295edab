/** @file A policy as one file, written and opened. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { openModel, readAbout, writeModel } from '../graph/index.ts'
import { type PolicyAbout, parseAbout } from './about.ts'
import { FiledPolicy } from './filed-policy.ts'
import { type PolicyNetwork, tracePolicy } from './network.ts'

const ENDING = '.onnx'

/** @throws InputError if the name is of another kind of file, or the disk does not take it */
export function writePolicy(path: string, network: PolicyNetwork, about: PolicyAbout): void {
  if (!path.endsWith(ENDING)) throw new InputError(path, 'is no name of an ONNX file', `Let it end with ${ENDING}`)
  writeWhole(path, bytesOf(network, about))
}

const bytesOf = (network: PolicyNetwork, about: PolicyAbout) =>
  writeModel('duet policy', tracePolicy(network), JSON.stringify(about))

/** The same without a file. `from`: where it comes from, for errors. */
export async function openPolicyOf(from: string, network: PolicyNetwork, about: PolicyAbout): Promise<FiledPolicy> {
  return new FiledPolicy(from, about, await openModel(from, bytesOf(network, about)))
}

/** What a policy file says about itself, and all its bytes. @throws InputError if it is missing, damaged or of another format */
export function readPolicyFile(path: string): { about: PolicyAbout; bytes: Uint8Array } {
  if (!existsSync(path)) throw new InputError(path, 'there is no such file', 'Check the path given to --policy')
  if (!statSync(path).isFile())
    throw new InputError(path, 'is a folder', 'Give a file that `duet export policy` wrote, or the run with --run')
  const bytes = readFileSync(path)
  return { about: parseAbout(path, readAbout(path, bytes)), bytes }
}

/** @throws InputError as `readPolicyFile`, or if onnxruntime does not take it */
export async function openPolicyModel(path: string): Promise<FiledPolicy> {
  const { about, bytes } = readPolicyFile(path)
  return new FiledPolicy(path, about, await openModel(path, bytes))
}
