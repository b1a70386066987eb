import { setTimeout as work } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Interval, Timeout } from '@nestjs/schedule';

/** Collects what the operators of the shop read every day. Each run has a trace of its own. */
@Injectable()
export class DigestJob {
  @Timeout(50)
  async collect(): Promise<void> {
    await work(5);
  }

  @Interval(24 * 60 * 60 * 1000)
  collectDaily(): Promise<void> {
    return this.collect();
  }
}
