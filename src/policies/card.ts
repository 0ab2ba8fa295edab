/** @file The card beside a policy file: what it learned from, how well it does, and under what terms its encoder comes. */

import { percent } from '../metrics/percent.ts'
import { formatTable } from '../metrics/summary.ts'
import type { PolicyAbout } from './about.ts'

/** The settings that make a regime: what the scene is like, what was demonstrated, who corrected. */
const REGIME = ['robot', 'demonstrations', 'operator', 'warmUp', 'online'] as const

/** Markdown. */
export function policyCard(file: string, about: PolicyAbout): string {
  const { run, checkpoint, duet, method, robot, encoder, commands, tasks } = about
  const sections = [
    `# ${file}`,
    `A policy for ${robot.name}, ${robot.rate} steps a second, trained with Duet ${duet} by the method \`${method}\`. Run ${run}, checkpoint ${checkpoint}.`,
    '## Tasks',
    tasks.map(({ name, instruction }) => `- ${name}: "${instruction}"`).join('\n'),
    commands.length > 0
      ? `It follows ${commands.length - 1} commands, such as "${commands[1]}".`
      : 'It follows no commands.',
    '## Figures',
    figures(about),
    '## Data and regime',
    'Demonstrations, scene, operator and length of the training, as the run had them:',
    ['```json', ...REGIME.map((name) => `"${name}": ${JSON.stringify(about.settings[name])}`), '```'].join('\n'),
    '## Encoder',
    `${encoder.name}, ${encoder.inside ? 'inside the file' : 'not in the file'}. Licence: ${encoder.licence}. Source: ${encoder.source}. Weights (SHA-256): ${encoder.hash}.`,
  ]
  return `${sections.join('\n\n')}\n`
}

function figures({ trained, noise }: PolicyAbout): string {
  if (!trained) return 'Nothing was measured of this checkpoint: the run went on, or has not come to its end.'
  const rows = Object.entries(trained.tasks).map(([task, { step0, success, trials, interval }]) => [
    task,
    percent(step0 ?? Number.NaN),
    percent(success),
    `${percent(interval[0])} to ${percent(interval[1])}`,
    String(trials),
  ])
  const table = formatTable(['task', 'step 0', 'success', '95 % interval', 'trials'], rows)
  const told = `On fresh seeds, without takeovers or commands, noise of spread ${noise}; after ${trained.robotMinutes.toFixed(1)} robot minutes, of whose steps the operator took ${percent(trained.interventionShare)}.`
  return `${told}\n\n\`\`\`text\n${table}\n\`\`\``
}
