/** @file What somebody needs to take part in a fleet, and as one line of text for whoever sits beside a robot. */
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { SUBJECT_NAME } from '../link/nats/wire.ts'

const name = z.string().regex(SUBJECT_NAME)

const Access = z.strictObject({
  url: z.string().regex(/^(nats|tls):\/\/\S+$/), // of the broker
  run: name,
  seed: z
    .string()
    .regex(/^SU[A-Z2-7]{40,}$/)
    .optional(), // secret of its key; none where the broker asks for none
  ca: z.string().optional(), // certificate that vouches for the broker, PEM
})
/** The way into a run. */
export type Access = z.infer<typeof Access>

const Invitation = Access.extend({ robot: name })
/** That of one robot. */
export type Invitation = z.infer<typeof Invitation>

const MARK = 'duet-'

/** Whoever has this text is the robot. */
export const invitationText = (invitation: Invitation): string =>
  MARK + Buffer.from(JSON.stringify(invitation)).toString('base64url')

/** @throws InputError if it is none */
export function readInvitation(text: string): Invitation {
  const line = text.trim()
  try {
    if (!line.startsWith(MARK)) throw new Error('has another beginning')
    return Invitation.parse(JSON.parse(Buffer.from(line.slice(MARK.length), 'base64url').toString()))
  } catch (cause) {
    throw new InputError('the invitation', 'is none, or not whole', 'Copy the line that `duet fleet invite` printed', {
      cause,
    })
  }
}
