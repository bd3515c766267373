# A crawler of local pages: workers take a page from a queue, read it on a thread, and put the links that are new into the
# queue. join() returns when every page that was ever put has been dealt with.
# needs 3.13
import asyncio
from pathlib import Path

PAGES = {  # a title, then links
    "index.txt": "welcome\ndocs/start.txt\ndocs/api.txt\nblog/index.txt\n",
    "docs/start.txt": "first steps\ndocs/api.txt\nindex.txt\n",
    "docs/api.txt": "all the names\ndocs/missing.txt\n",
    "blog/index.txt": "news\nblog/one.txt\nblog/two.txt\n",
    "blog/one.txt": "hello\nindex.txt\n",
    "blog/two.txt": "hello again\ndocs/start.txt\nblog/one.txt\n",
}


async def crawl(root, pages, seen, found):
    try:
        while True:
            page = await pages.get()
            try:
                text = await asyncio.to_thread((root / page).read_text)
                title, *links = text.splitlines()
                found[page] = f"{title}, {len(links)} links"
                for link in links:
                    if link not in seen:
                        seen.add(link)
                        await pages.put(link)
            except OSError:
                found[page] = "not there"
            pages.task_done()
    except asyncio.QueueShutDown:
        pass


async def main():
    root = Path("site")
    for page, text in PAGES.items():
        (root / page).parent.mkdir(parents=True, exist_ok=True)
        (root / page).write_text(text)

    pages = asyncio.Queue()
    seen = {"index.txt"}
    found = {}
    async with asyncio.TaskGroup() as group:
        await pages.put("index.txt")
        for _ in range(3):
            group.create_task(crawl(root, pages, seen, found))
        await pages.join()
        pages.shutdown()
    for page in sorted(found):
        print(f"{page}: {found[page]}")
    print(len(found), "pages")


asyncio.run(main())
