package main

// spool is where saved reports go.
const spool = `C:\ProgramData\report`
