import { Inject, Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { reportIgnored } from './core/diagnostics.js';
import { ListeningState } from './core/listening-state.js';

/** A part of the library that acquires something of the process while an application is up. */
export interface ApplicationStartListener {
  /** Called when the application has started, and again if it listens after all, on another port say. The start awaits it. */
  acquire(): void | Promise<void>;
  /** Called when the application cannot listen. The caller may abandon it, which Nest does not report, so everything has to be released. */
  release(): void;
}

/**
 * Reports that an application has started: every start-up hook of every module has run, none of them failed, and none of its
 * servers has failed to listen so far. Nest itself reports neither a start that has succeeded nor one that has failed.
 */
@Injectable()
export class ApplicationStart implements OnApplicationBootstrap {
  readonly #listeners: ApplicationStartListener[] = [];
  #state: ListeningState | undefined;

  constructor(
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {}

  /** Adds a listener. Call it before the application has started. */
  add(listener: ApplicationStartListener): void {
    this.#listeners.push(listener);
  }

  async onApplicationBootstrap(): Promise<void> {
    // Nest runs the hooks of a microservice twice, if the application has called init() itself.
    if (this.#state) return;
    this.#state = new ListeningState((isUp) => {
      if (isUp) void this.#acquire().catch((error: unknown) => reportIgnored('Starting to trace again', error));
      else for (const listener of this.#listeners) listener.release();
    });
    this.#state.watchServer(this.adapterHost.httpAdapter?.getHttpServer());
    // The method is public, but recent: with a release without it, a microservice that cannot listen is not noticed.
    const { getRpcTargetRegistry: registry } = this.modules as Partial<ModulesContainer>;
    registry?.call(this.modules).subscribe((transport: unknown) => this.#state?.watchTransport(transport));
    await this.#acquire();
  }

  async #acquire(): Promise<void> {
    for (const listener of this.#listeners) await listener.acquire();
  }
}

/**
 * Provides `ApplicationStart`. It is a module of its own with the smallest distance from the root, since Nest runs the start-up hooks of the
 * nearest module last.
 */
@Module({ providers: [ApplicationStart], exports: [ApplicationStart] })
export class ApplicationStartModule {
  constructor(@Inject(ModulesContainer) modules: ModulesContainer) {
    for (const module of modules.values()) {
      if (module.metatype === ApplicationStartModule) module.distance = -Infinity;
    }
  }
}
