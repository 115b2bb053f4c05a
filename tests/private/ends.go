package main

import (
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// Processes that end with this one.
type ends struct {
	processes []*os.Process
	running   sync.WaitGroup
	// One of them ended by itself.
	early chan error
}

func newEnds() *ends {
	// The kernel ends them when the thread that started them is gone: it must stay.
	runtime.LockOSThread()
	return &ends{early: make(chan error, 8)}
}

// start starts a process. It ends with this one even when that is killed.
func (e *ends) start(command *exec.Cmd) error {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Pdeathsig = syscall.SIGTERM
	if err := command.Start(); err != nil {
		return err
	}
	e.processes = append(e.processes, command.Process)
	e.running.Go(func() { e.early <- command.Wait() })
	return nil
}

// all ends them, and waits until they are gone.
func (e *ends) all() {
	for _, process := range e.processes {
		process.Signal(syscall.SIGTERM)
	}
	e.running.Wait()
}
