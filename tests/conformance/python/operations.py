"""Where the statements of the language are entered under their names."""
import asyncio

from slots import Empty
from text import describe

PLAIN = {}     # name -> function(run, *arguments): never waits; what it raises is only noted
AWAITING = {}  # name -> coroutine function(run, *arguments); gives (value,) to return from the function, else None
WALKING = {}   # the same for those that enter a block: they get the walk in the place of the run


def awaiting(function):
    AWAITING[function.__name__.rstrip("_")] = function
    return function


def walking(function):
    WALKING[function.__name__] = function
    return function


def plain(function):
    name = function.__name__.rstrip("_")

    def noting(run, *arguments):
        try:
            function(run, *arguments)
        except Empty:
            run.log(name, "empty")
        except (Exception, asyncio.CancelledError) as error:
            run.log(name, "!", describe(error))
    PLAIN[name] = noting
    return function
