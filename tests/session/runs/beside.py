"""Checks that pass while something beside them fails, and such that look at it."""

from __future__ import annotations

OUTSIDE = {
    "pool-unread": """
        from concurrent.futures import ThreadPoolExecutor

        @bound
        def test_works():
            with ThreadPoolExecutor() as pool:
                pool.submit(lambda: 1 / 0)
    """,
    "pool-kept": """
        from concurrent.futures import ThreadPoolExecutor
        POOL = ThreadPoolExecutor()
        kept = []

        @bound
        def test_works():
            kept.append(POOL.submit(lambda: 1 / 0))
            POOL.shutdown()
    """,
    "pool-done-callback": """
        from concurrent.futures import ThreadPoolExecutor

        def told(future):
            raise OSError('told')

        @bound
        def test_works():
            with ThreadPoolExecutor() as pool:
                pool.submit(int).add_done_callback(told)
    """,
    "pool-of-processes": """
        from concurrent.futures import ProcessPoolExecutor
        import multiprocessing

        @bound
        def test_works():
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context('fork')) as pool:
                pool.submit(int, 'no number')
    """,
    "thread-later": """
        import threading, time

        def late():
            time.sleep(0.3)
            raise OSError('late')

        @bound
        def test_works():
            threading.Thread(target=late).start()
    """,
    "timer-later": """
        import threading

        def late():
            raise OSError('late')

        @bound
        def test_works():
            threading.Timer(0.3, late).start()
    """,
    "process": """
        import multiprocessing, sys

        @bound
        def test_works():
            child = multiprocessing.get_context('fork').Process(target=sys.exit, args=(1,))
            child.start()
            child.join()
    """,
    "task-kept": """
        import asyncio
        kept = []

        async def bad():
            raise OSError('bad')

        async def main():
            kept.append(asyncio.create_task(bad()))
            await asyncio.sleep(0)

        @bound
        def test_works():
            asyncio.run(main())
    """,
    "task-kept-loop": """
        import asyncio
        kept = []

        async def bad():
            raise OSError('bad')

        async def main():
            kept.append(asyncio.get_running_loop().create_task(bad()))
            await asyncio.sleep(0.01)

        @bound
        def test_works():
            loop = asyncio.new_event_loop()
            loop.run_until_complete(main())
            loop.close()
    """,
    "call-soon": """
        import asyncio

        def bad():
            raise OSError('bad')

        async def main():
            asyncio.get_running_loop().call_soon(bad)
            await asyncio.sleep(0.01)

        @bound
        def test_works():
            asyncio.run(main())
    """,
    "greenlet": """
        import gevent

        def bad():
            raise OSError('bad')

        @bound
        def test_works():
            gevent.spawn(bad).join()
    """,
    "hook-replaced": """
        import threading

        @pytest.fixture
        def quiet(monkeypatch):
            monkeypatch.setattr(threading, 'excepthook', lambda args: None)

        @bound
        def test_works(quiet):
            thread = threading.Thread(target=lambda: 1 / 0)
            thread.start()
            thread.join()
    """,
    "hook-replaced-in-body": """
        import sys, threading

        @bound
        def test_works():
            threading.excepthook = lambda args: None
            sys.unraisablehook = lambda args: None
            thread = threading.Thread(target=lambda: 1 / 0)
            thread.start()
            thread.join()

        def test_after():
            threading.excepthook = threading.__excepthook__
            sys.unraisablehook = sys.__unraisablehook__
    """,
}

LOOKED_AT = {
    "pool-read": """
        from concurrent.futures import ThreadPoolExecutor

        @bound
        def test_works():
            with ThreadPoolExecutor() as pool:
                future = pool.submit(lambda: 1 / 0)
                with pytest.raises(ZeroDivisionError):
                    future.result()
                other = pool.submit(lambda: 1 / 0)
                assert isinstance(other.exception(), ZeroDivisionError)
                assert list(pool.map(int, '123')) == [1, 2, 3]
    """,
    "pool-as-completed": """
        from concurrent.futures import ThreadPoolExecutor, as_completed

        @bound
        def test_works():
            with ThreadPoolExecutor() as pool:
                tasks = [pool.submit(int, text) for text in ('1', 'x')]
                seen = [bool(task.exception()) for task in as_completed(tasks)]
            assert sorted(seen) == [False, True]
    """,
    "pool-of-asyncio": """
        import asyncio

        async def main():
            with pytest.raises(ZeroDivisionError):
                await asyncio.get_running_loop().run_in_executor(None, lambda: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await asyncio.to_thread(lambda: 1 / 0)

        @bound
        def test_works():
            asyncio.run(main())
    """,
    "thread-goes-on": """
        import threading, time

        @bound
        def test_works():
            threading.Thread(target=time.sleep, args=(0.2,), daemon=True).start()
    """,
    "process-good": """
        import multiprocessing, os, subprocess, sys

        @bound
        def test_works():
            context = multiprocessing.get_context('fork')
            child = context.Process(target=int)
            child.start()
            child.join()
            bad = context.Process(target=sys.exit, args=(3,))
            bad.start()
            bad.join()
            assert bad.exitcode == 3
            stopped = context.Process(target=__import__('time').sleep, args=(60,))
            stopped.start()
            stopped.terminate()
            stopped.join(20)
            assert stopped.exitcode == -15
            assert subprocess.run([sys.executable, '-c', 'exit(1)']).returncode == 1
    """,
    "tasks-read": """
        import asyncio

        async def bad():
            raise OSError('bad')

        async def main():
            seen = await asyncio.gather(bad(), bad(), return_exceptions=True)
            assert len(seen) == 2
            task = asyncio.create_task(bad())
            with pytest.raises(OSError):
                await task
            other = asyncio.create_task(asyncio.sleep(60))
            await asyncio.sleep(0)
            other.cancel()
            with pytest.raises(ExceptionGroup):
                async with asyncio.TaskGroup() as group:
                    group.create_task(bad())

        @bound
        def test_works():
            asyncio.run(main())
    """,
    "own-handler": """
        import asyncio

        async def main(seen):
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda loop, context: seen.append(context))
            loop.call_soon(int, 'x')
            await asyncio.sleep(0.01)

        @bound
        def test_works():
            seen = []
            asyncio.run(main(seen))
            assert len(seen) == 1
    """,
}
