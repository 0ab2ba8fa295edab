/** @file What a bridge has instead of the topics that are missing, for the words of an error. */
import { z } from 'zod'

/** `type` as ROS 1 writes it. */
export type Wanted = { name: string; type: string }

const Offers = z.object({ topics: z.array(z.string()), types: z.array(z.string()) })
const SHOWN = 12 // topics in one message

/** `answer`: of the service /rosapi/topics; anything else says nothing. */
export function describeOffers(answer: unknown, wanted: readonly Wanted[]): string[] {
  const offers = Offers.safeParse(answer)
  if (!offers.success) return []
  const { topics, types } = offers.data
  const typeOf = (name: string) => types[topics.indexOf(name)]?.replace('/msg/', '/')
  const others = wanted.flatMap(({ name, type }) => {
    const there = typeOf(name)
    if (there === type) return [`${name} is there, and silent`]
    if (there !== undefined) return [`${name} is a ${there} there`]
    const alike = topics.filter((topic) => typeOf(topic) === type)
    return alike.length > 0 ? [`${type} is on ${alike.slice(0, SHOWN).join(', ')}`] : []
  })
  if (others.length > 0) return others
  return [topics.length === 0 ? 'it has no topics' : `it has ${topics.slice(0, SHOWN).join(', ')}`]
}
