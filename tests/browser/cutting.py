"""A TCP proxy between a browser and a server that cuts connections, also in the middle of an event."""

import asyncio
from threading import Thread

BEFORE, WITHIN = "before the event", "within the event"
# Where an event of a stream begins, and how much of it comes through when it is cut within.
EVENT, COMES_THROUGH = b"event: item", 40


class CuttingProxy:
    """Passes on what comes between ``url`` and the server on ``port``.

    After ``cut_next`` the next event is cut off, and its connection.
    """

    def __init__(self, port):
        self.cuts = 0
        self._target, self._loop, self._how = port, asyncio.new_event_loop(), None
        self._thread = Thread(target=self._loop.run_forever, name="cutting-proxy", daemon=True)

    def __enter__(self):
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *exc_info):
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut_next(self, how):
        self._how = how

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _stop(self):
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, browser, to_browser):
        server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
        pumps = [
            asyncio.create_task(each)
            for each in (self._pump(browser, to_server, False), self._pump(server, to_browser, True))
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (*pumps, to_browser, to_server):
                each.cancel() if each in pumps else each.transport.abort()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader, writer, is_answer):
        while data := await reader.read(65536):
            place = data.find(EVENT)
            if is_answer and self._how and place >= 0:
                how, self._how = self._how, None
                writer.write(data[: place + COMES_THROUGH] if how == WITHIN else data[:place])
                await writer.drain()
                # Let what was written leave before the connection is torn down.
                writer.close()
                await asyncio.shield(writer.wait_closed())
                self.cuts += 1
                return
            writer.write(data)
            await writer.drain()
