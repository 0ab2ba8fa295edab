#!/usr/bin/env node
import { load } from '../src/load.mjs'

await load('cli/main')
