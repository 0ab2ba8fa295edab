/** @file `duet export policy`: a run's actors as one ONNX file, with a card beside it. */
import { basename } from 'node:path'
import type { Command } from 'commander'
import { writeWhole } from '../../durable.ts'
import { policyCard } from '../../policies/card.ts'
import { writePolicy } from '../../policies/file.ts'
import { exportedPolicy } from '../../run/policy-export.ts'

type Options = { out?: string }

export function registerPolicy(group: Command): void {
  group
    .command('policy')
    .description(
      "one ONNX file with a run's actors, their normalisers and commands, and a card beside it; docs/policies.md",
    )
    .argument('<run>', 'a run folder, or one of its checkpoints')
    .option('--out <file.onnx>', "by default the run's name, in the working directory")
    .addHelpText(
      'after',
      `
Examples:
  duet export policy runs/quick
  duet export policy runs/quick/checkpoints/step-00018000-update-00006400 --out arm.onnx
`,
    )
    .action(run)
}

async function run(path: string, { out }: Options): Promise<void> {
  const { network, about } = await exportedPolicy(path)
  const file = out ?? `${about.run}.onnx`
  writePolicy(file, network, about)
  const card = `${file.slice(0, -'.onnx'.length)}.md`
  writeWhole(card, policyCard(basename(file), about))
  process.stdout.write(`${file}: ${inside(about.encoder)}\n${card}: what it is, and how well it does\n`)
}

const inside = ({ name, inside }: { name: string; inside: boolean }) =>
  inside ? `pictures and readings in, actions out (encoder ${name} inside)` : `the embedding of ${name} in, actions out`
