# Keeps a service running: starts it again when it crashes, each time a little later, and gives up when that does not help.
import asyncio
import dataclasses


@dataclasses.dataclass
class Policy:
    most_restarts: int = 5  # without a run that lasted
    first_delay: float = 0.01
    longest_delay: float = 0.08
    lasting: float = 1  # a run as long as that is a success


async def start_service(attempt):
    script = "kill -SEGV $$" if attempt < 2 else "exit 0"
    return await asyncio.create_subprocess_exec("sh", "-c", script)


async def end_of_service(service):
    try:
        return await service.wait()
    except asyncio.CancelledError:
        service.terminate()
        try:
            await asyncio.wait_for(service.wait(), 2)
        except TimeoutError:
            service.kill()
        raise


async def supervise(policy):
    loop = asyncio.get_running_loop()
    delay = policy.first_delay
    restarts = attempt = 0
    while True:
        begin = loop.time()
        service = await start_service(attempt)
        attempt += 1
        code = await end_of_service(service)
        if code == 0:
            print(f"run {attempt}: the service has ended well")
            return
        if loop.time() - begin > policy.lasting:
            restarts, delay = 0, policy.first_delay
        print(f"run {attempt}: the service has ended with {code}")
        restarts += 1
        if restarts > policy.most_restarts:
            raise RuntimeError("the service cannot be kept running")
        await asyncio.sleep(delay)
        delay = min(delay * 2, policy.longest_delay)


asyncio.run(supervise(Policy()))
