/** @file Who acts: name, shape and colour, the same wherever the page says it. */
import type { JSX } from 'preact'

export type Acting = 'primary' | 'refinement' | 'operator' | 'exploration' | 'stopped'

/** `height`: of its steps in a strip, where 1 is the highest. */
export const ACTING: Record<Acting, { name: string; words: string; height: number }> = {
  primary: { name: 'Primary actor', words: 'the policy acts', height: 0.34 },
  refinement: { name: 'Refinement actor', words: 'the policy follows a command', height: 0.67 },
  operator: { name: 'Operator', words: 'a hand moves the arm', height: 1 },
  exploration: { name: 'Exploration', words: 'something is tried, as the policy stood still', height: 0.5 },
  stopped: { name: 'Stopped', words: 'the arm holds still', height: 0 },
}

const SHAPES: Record<Acting, string> = {
  primary: 'M6 1a5 5 0 1 1 0 10a5 5 0 1 1 0-10z', // circle
  refinement: 'M6 0l6 6l-6 6l-6-6z', // diamond
  operator: 'M6 0.5l6 11h-12z', // triangle
  exploration: 'M5 0h2v5h5v2h-5v5h-2v-5h-5v-2h5z', // cross
  stopped: 'M1 1h10v10h-10z', // square
}

/** Its colour is that of the text around it. */
export const ActorShape = ({ who, size = 12 }: { who: Acting; size?: number }): JSX.Element => (
  <svg class="actor-shape" width={size} height={size} viewBox="0 0 12 12" aria-hidden="true">
    <path d={SHAPES[who]} fill="currentColor" />
  </svg>
)
