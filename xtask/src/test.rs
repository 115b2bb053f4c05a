pub(crate) fn run(_o: Option<&str>, _r: &[String]) -> anyhow::Result<()> {
    Ok(())
}
