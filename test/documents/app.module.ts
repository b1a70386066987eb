import { Module } from '@nestjs/common';

/** The root module that examples import. */
@Module({})
export class AppModule {}
