package main

// spool is where saved reports go.
const spool = "/var/spool/report"
