# gather runs several awaitables at once and gives their results in the order of its arguments.
import asyncio


async def factorial(name, number):
    product = 1
    for factor in range(2, number + 1):
        print(f"Task {name}: factorial({number}), now times {factor}")
        await asyncio.sleep(0.02)
        product *= factor
    print(f"Task {name}: factorial({number}) = {product}")
    return product


async def main():
    a, b, c = await asyncio.gather(factorial("A", 2), factorial("B", 3), factorial("C", 4))
    print(a, b, c)


asyncio.run(main())
